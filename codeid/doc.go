// Package codeid tells an MPP what to do with a scanned code, before the code
// goes to Alipay+: whether it is the MPP's own business (filter), and if not,
// whether Alipay+ can process it and how (identify). It does for Go what the
// official server SDK does for Java, with the rules that the inquiryCodeRules
// API returns.
//
// # Filter
//
// A [Filter] knows both solutions of the Alipay+ documents. With an allowlist,
// a code that is local or in the allowlist is processed by the MPP. With a
// blocklist, a code in it is rejected. All other codes are identified. A [List]
// holds whole codes, prefixes, hosts, identifiers of EMVCo merchant accounts,
// regular expressions and functions, a million of them if need be; it comes
// from values ([NewList]) or from a file ([ReadList]). [Filter.Replace] puts
// other lists in force while the filter is in use.
//
//	code = codeid.Clean(scanned) // without the scanner's line end
//	verdict := filter.Check(code)
//	switch verdict.Decision {
//	case codeid.DecisionLocal:    // the MPP's own logic
//	case codeid.DecisionRejected: // tell the user
//	case codeid.DecisionIdentify: // go on below
//	}
//
// An allowlist and rules take a code as it is written. A blocklist takes it as
// the most forgiving program would: it fails closed.
//
// # Identify
//
// An [Identifier] has the rules of Alipay+ and keeps them up to date. [Open]
// makes one when the application starts; if it fails, the application should
// not start:
//
//	identifier, err := codeid.Open(ctx, codeid.Config{
//		Client: client,
//		File:   "/var/lib/wallet/coderules.json",
//		Preset: preset, // go:embed
//	})
//	if err != nil {
//		return err
//	}
//	go identifier.Run(ctx) // refreshes within every 24 hours
//
// Then, for every code that passed the filter:
//
//	id, err := identifier.Identify(ctx, code)
//	switch {
//	case err != nil:                         // F: no code at all; U: ask again
//	case id.Action == codeid.ActionDecode:   // send the code to userInitiatedPay
//	case id.Action == codeid.ActionOpenURL:  // the app launches id.RedirectURL()
//	default:                                 // not supported by Alipay+
//	}
//
// The last good rule set survives every failure: an answer that is unsigned,
// cut off, empty, or half of which cannot be used changes nothing.
// [Identifier.Status] tells the version and the age of the set in use;
// Config.Logger gets what fails.
//
// # Rules
//
// A [Ruleset] is a compiled answer of inquiryCodeRules; [ParseRuleset] makes it
// from the exact body, wherever that was kept. Its rules are tried one by one,
// by priority, the smallest first, and in the order of the list where it is
// equal; the first that matches decides. The documents leave this and other
// questions open; [RuleOptions] has an answer to each.
//
// A rule is used as a whole or not at all: its public fields and its
// extendInfo, which restricts it further, must both hold. A rule with a method,
// operator, action, pattern or condition that this package does not know or
// cannot evaluate is skipped, listed with a reason by [Ruleset.Skipped], and
// never counts as a match: a rule that is too wide would send codes to the
// wrong place.
//
// Rules are written for Java. A regular expression of a rule means here what it
// means to Java's Pattern.matches, or the rule is skipped; for what is skipped,
// RuleOptions.Compile takes another engine. (Lists are written for this
// package: their regular expressions have Go's syntax and meaning.)
//
// A [Remote] decides what rules alone cannot, for example a rule that wants the
// server SDK (trust N): a bridge to the Java SDK fits there.
//
// # URLs
//
// "Begins with https://pay.example" is true for https://pay.example@evil.test
// and for https://pay.example.evil.test. Prefixes that begin with http:// or
// https:// are therefore compared as URLs: scheme, host and port must be equal,
// in upper or lower case (QR codes in alphanumeric mode are all upper case),
// and the path begins with the prefix's path, as written. URLs with user-info,
// a backslash, a control or invisible character, a host with other characters
// than A-Z a-z 0-9 - . _, or dot segments in the path match no prefix and are
// never handed out as RedirectURL.
//
// # Limits
//
// No code and no accepted rule set makes an identification slow. A set has at
// most 4 MiB and 2,000 rules, both configurable. A rule has at most 64 KiB and
// 64 conditions. A regular expression has at most 512 bytes and a size of 1,000
// with its counters written out; all REGEX rules together have at most 5,000,
// all different expressions in conditions on EMVCo fields 20,000. REGEX rules
// see codes of up to 512 characters; a longer code that no other rule takes
// needs a Remote. What is over a limit is skipped and reported like any rule
// that cannot be used.
//
// # Secrets
//
// A code value can be money. No error, log line or print of this package's
// types shows one, except what the application asks for by name:
// [Identification.RedirectURL] may contain the code.
package codeid
