package main

// row is one promise.
type row struct {
	Promise string // a sentence
	Dir     string // of the package, below the module's root
	Test    string
	Figure  string // what is counted
	Limit   string
	Seen    string // a pattern for the line that the test logs; "" if passing is the figure
}

var rows = []row{
	// Signatures.
	{"A request or answer in which one bit was flipped is refused.", "alipayplus", "TestVerifyRefusesEveryFlippedBit",
		"flips of target, client id, time, body and signature", "0 accepted", `\d+ flips, none accepted`},
	{"The same holds for the answers that a call gets.", "alipayplus", "TestCallRefusesEveryFlippedBit",
		"flips, one call each", "0 accepted", `\d+ flips, none accepted`},
	{"Forged PKCS #1 signatures of Project Wycheproof are refused.", "alipayplus", "TestWycheproof",
		"vectors", "only the valid ones accepted", `\d+ files: .*`},
	{"Keys are rotated under load without a false refusal, and a retired key is never accepted.", "alipayplus", "TestRotationUnderLoad",
		"verifications during rotations", "0 false", `\d+ verifications, .*`},
	{"No answer that did not verify reaches the caller.", "alipayplus", "TestUnverifiedNeverReachesTheCaller",
		"texts in the answers of every operation", "0 reach the caller", `.*: \d+ texts`},
	{"Nothing that is printed, logged or encoded shows a secret.", "alipayplus", "TestNothingShowsSecrets",
		"exported types, in every way to print them", "0 leaks", ""},
	{"Nor does what a handler logs and answers.", "alipayplus", "TestNoSecretsOfRequests",
		"requests with canaries", "0 leaks", `\d+ requests, 0 leaks`},

	// Calls to Alipay+.
	{"What an answer means follows the table in the package documentation, cell by cell.", "alipayplus", "TestEveryAnswer",
		"result × HTTP status × signature", "all as documented", `cells by row: .*`},
	{"A connection may end or hang after any byte of any attempt: the outcome is the server's truth.", "alipayplus", "TestCutAfterAnyByteOnAnyAttempt",
		"calls over connections that were cut", "0 lost, 0 double", `.*\d+ calls, 0 lost, 0 double`},
	{"All attempts of a call are the same message, each with its own time and signature.", "alipayplus", "TestManyCallsRepeatTheSameMessage",
		"calls, attempts", "0 differ", `\d+ calls, \d+ attempts: 0 .*`},
	{"An attempt is sent once: net/http repeats nothing by itself.", "alipayplus", "TestNoHiddenRetries",
		"sends ÷ attempts", "1", `.*: \d+ sends in \d+ attempts`},
	{"In an outage retries do not pile up, first attempts are never held back, and calls recover by themselves.", "alipayplus", "TestOutageOfTenMinutes",
		"attempts ÷ calls; delay of first attempts; recovery", "≤ 1.10; 0; ≤ 1 minute", `.*attempts a call, first attempts after 0s, recovered after .*`},
	{"A call ends with its context, wherever it is, and says not sent only if that is proved.", "alipayplus", "TestCancellationAtEveryPoint",
		"points of cancellation", "0 late, 0 wrong", ""},
	{"An answer takes a bounded amount of memory, whatever its length says.", "alipayplus", "TestMessagesHaveABudget",
		"memory for a message", "≤ 2 × its limit", `.*MiB`},
	{"Many calls leave no goroutine and no descriptor.", "alipayplus", "TestManyCallsLeaveNothingBehind",
		"goroutines, descriptors", "≤ +10", `\d+ calls: .*`},

	// Requests from Alipay+.
	{"A request that arrives many times at once runs once.", "alipayplus", "TestSameRequestInParallel",
		"runs ÷ requests", "1", `\d+ requests: .*`},
	{"An idempotency store that is down, slow or lying makes U, never S or F.", "alipayplus", "TestStoreFaults",
		"faults", "all U", `\d+ faults, answered U each`},
	{"An id with other content is refused, and only then.", "alipayplus", "TestConsistencyFields",
		"members", "0 wrong", ""},
	{"What a sequence of requests was answered is what one store at a time would answer.", "alipayplus", "TestLinearizable",
		"histories, and stores with a mistake", "all found", `control: a store that [^:]*`},
	{"A relay that dies at any step loses no message and changes the receiver's state once.", "alipayplus", "TestRelayCrashes",
		"steps of two deliveries, before and after each", "0 lost, 0 double", `\d+ steps`},

	// Payments.
	{"Every sequence of events ends as the table of payment states says.", "alipayplus/payment", "TestAllSequences",
		"sequences with repetition", "0 wrong", `\d+ sequences of .*`},
	{"A wallet that dies at any step moves the money once and tells its result.", "alipayplus/payment", "TestCrashes",
		"steps", "0 lost, 0 double", `\d+ steps`},
	{"Under load, faults and crashes the books of wallet and Alipay+ agree.", "alipayplus/payment", "TestSimulation",
		"payments by state", "0 differences", `map\[.*`},
	{"The same for whole merchant-presented payments, from the scan.", "mpm", "TestSimulation",
		"payments", "0 differences", `payments:\d+ paid:\d+ failed:\d+ closed:\d+ .* crashes:\d+`},
	{"The same for Easy Pay, which dies at each step.", "easypay", "TestCrashAtEveryStep",
		"steps", "0 lost, 0 double", `remote=.*`},
	{"Tokens behave like their model.", "auth", "TestTokensAgainstAModel",
		"random histories", "0 differences", ""},

	// Scanned codes.
	{"Rules are swapped whole while codes are identified.", "codeid", "TestSwapsUnderIdentification",
		"identifications during swaps", "0 mixed", `\d+ identifications .*`},
	{"A pattern means what Java reads, or is refused.", "internal/regex", "TestPatternsMeanWhatTheyMeanToJava",
		"verdicts of Java", "0 differ", `\d+ verdicts .*`},

	// Tests of the tests.
	{"The suite for clients finds every client with a mistake.", "alipayplus/alipayplustest", "TestClientFindsEachMistake",
		"clients with one mistake each", "all found", `\d+ clients .*`},
	{"The suite for servers finds every server with a mistake.", "alipayplus/alipayplustest", "TestHandlerFindsEachMistake",
		"servers with one mistake each", "all found", `\d+ servers .*`},
	{"The suite for signers finds every signer with a mistake.", "alipayplus/alipayplustest", "TestSignerFindsEachMistake",
		"signers with one mistake each", "all found", ""},
	{"A wallet that does not verify is lied to by the Alipay+ that misbehaves.", "alipayplus/alipayplustest", "TestMisbehaveFindsTheCredulous",
		"lies that were believed", "≥ 1", `\d+ lies`},

	// A real database.
	{"A statement that fails, or whose answer is lost, makes U or an error and loses nothing.", "internal/sqltest", "TestEachCallFails",
		"statements of a payment, each failed once", "0 lost, 0 double", ""},
	{"A lost COMMIT counts nothing twice.", "internal/sqltest", "TestEachAnswerIsLost",
		"answers of a payment, each lost once", "0 lost, 0 double", ""},
	{"Conflicts of the database are repeated by the outermost transaction only, a bounded number of times.", "internal/sqltest", "TestRetriesAreBounded",
		"repetitions", "bounded", ""},
	{"A conflict that a ledger or OnChange meets never reaches the host, and nothing is counted twice.", "internal/sqltest", "TestDeadlocksInOnChange",
		"errors of real deadlocks at the host", "0", ""},
	{"A transaction that the database undid while the ledger or OnChange ignored the error makes no payment paid.", "internal/sqltest", "TestIgnoredRollback",
		"payments paid without their debit or message", "0", ""},
	{"Whatever breaks at whatever step, another process ends every payment.", "internal/sqltest", "TestCrashes",
		"steps, faults at each", "0 lost, 0 double", `\d+ crashes`},
	{"Wallet processes and the database are killed under load: no result is lost, no money moves twice, all books agree.", "internal/sqltest", "TestKill",
		"payments, kills, on PostgreSQL, MariaDB and SQLite", "0 lost, 0 double", `\d+ payments in .*lost \d+, doubled \d+, longest delay [0-9.ms]+`},
	{"Two processes that do something with one payment at the same time: one wins, and no error of the database reaches a caller.", "internal/sqltest", "TestRaces",
		"races, on PostgreSQL, MariaDB and SQLite", "0 errors, one winner", `\d+ races`},
	{"What a payment asks of the stores is a fixed number of statements.", "internal/sqltest", "TestBudget",
		"statements, transactions", "as stated in the test", `a payment takes .*`},
	{"So is what a payment through payment.Service and a Relay takes.", "internal/sqltest", "TestServiceBudget",
		"statements, transactions, bytes", "12 statements, 4 transactions; 13 with a Check", `^\d+ statements.*`},
	{"A payment costs the same, however many are stored.", "internal/sqltest", "TestGrowth",
		"statements and bytes of a payment", "≤ 1.2 × those beside 1,000", `beside \d{5,} payments: .*`},
	{"Purge beside the load of a wallet hurts no payment and deletes only what is old.", "internal/sqltest", "TestPurgeUnderLoad",
		"rows deleted; 99th percentile of a payment beside it", "0 errors", `\d+ rows are deleted; .* times`},
}
