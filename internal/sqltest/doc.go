// Package sqltest runs tests of package sqlstore on real databases: PostgreSQL
// and MariaDB, which it starts itself, and SQLite. It is a module of its own,
// so that nobody who imports the SDK gets a driver.
//
// A test package calls [Main] in its TestMain and [Each] in its tests. A
// [Watch] sees each statement and can make it fail.
package sqltest
