// Package codeid tells an MPP what to do with a scanned code, before the code
// goes to Alipay+: whether it is the MPP's own business (filter), and if not,
// whether Alipay+ can process it and how (identify). It does for Go what the
// official server SDK does for Java, with the rules that the inquiryCodeRules
// API returns.
//
// # Filter
//
// A [Filter] knows both solutions of the Alipay+ documents. With an allowlist, a
// code that is local or in the allowlist is processed by the MPP. With a
// blocklist, a code in it is rejected. All other codes are identified. A [List]
// holds whole codes, prefixes, hosts, identifiers of EMVCo merchant accounts,
// regular expressions and functions, a million of them if need be; it comes from
// values ([NewList]) or from a file ([ReadList]). Filter.Replace puts other lists
// in force while the filter is in use.
//
//	verdict := filter.Check(code)
//	switch verdict.Decision {
//	case codeid.DecisionLocal:    // the MPP's own logic
//	case codeid.DecisionRejected: // tell the user
//	case codeid.DecisionIdentify: // go on below
//	}
//
// # Identify
//
// An [Identifier] gets the rules from Alipay+ and keeps them up to date. Make one
// when the application starts; if Init fails, the application should not start:
//
//	identifier, err := codeid.New(codeid.Config{
//		Client: client,
//		File:   "/var/lib/wallet/coderules.json",
//		Preset: preset, // go:embed
//	})
//	if err == nil {
//		err = identifier.Init(ctx)
//	}
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
// The last good rule set survives every failure: an answer that is unsigned, cut
// off, empty, or half of which cannot be used changes nothing. Status tells the
// version and the age of the set in use, Hooks report every refresh.
//
// # Rules
//
// A [Ruleset] is a compiled answer of inquiryCodeRules; [ParseRuleset] makes it
// from the exact body, wherever that was kept. A rule is used as a whole or not
// at all: its public fields and its extendInfo, which restricts it further, must
// both hold. A rule with a method, operator, action or pattern that this package
// does not know or cannot evaluate is skipped, listed with a reason by
// Ruleset.Skipped, and never counts as a match. (Members by other names are
// ignored.)
//
// The documents leave some questions open; [RuleOptions] has an answer to each.
// Rules are tried in the order of their priority, the smallest first, and in the
// order of the list where it is equal; the first that matches decides.
//
// Rules are written for Java. Go's regular expressions lack look-aheads; a
// negative look-ahead behind a part of fixed length, as in ^NCHL(?!00000000).*,
// works all the same. For others RuleOptions.Compile takes another engine.
//
// A [Remote] decides what rules alone cannot, for example a rule that wants the
// server SDK (trust N): a bridge to the Java SDK fits behind it.
//
// # URLs
//
// "Begins with https://pay.example" is true for https://pay.example@evil.test
// and for https://pay.example.evil.test. Prefixes that begin with http:// or
// https:// are therefore compared as URLs: scheme, host and port must be equal,
// in upper or lower case (QR codes in alphanumeric mode are all upper case), and
// the path begins with the prefix's path, as written. URLs with user-info, a
// backslash, a control or invisible character, a host with other characters than
// A-Z a-z 0-9 - . _, or dot segments in the path match no prefix and are never
// handed out as RedirectURL.
//
// # Limits
//
// No code and no accepted rule set makes an identification slow. A set has at
// most 4 MiB and 2,000 rules, both configurable. A rule has at most 64 KiB and 64
// conditions. A regular expression has at most 512 bytes and a size of 1,000 with
// its counters written out; all REGEX rules together have at most 5,000, all
// different expressions in conditions on EMVCo fields 20,000. REGEX rules see
// codes of up to 512 characters; a longer code that no other rule takes needs a
// Remote. What is over a limit is skipped and reported like any rule that cannot
// be used.
//
// # Secrets
//
// A code value can be money. No error, hook or print of this package's types
// shows one, except what the application asks for by name:
// [Identification.RedirectURL] may contain the code.
package codeid
