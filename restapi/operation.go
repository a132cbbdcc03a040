package restapi

// Operation is what operators look at while the house works. What is nil is
// not offered.
type Operation struct {
	// Sample takes what happened since it was last called. Only Run calls it.
	Sample func() Sample
	// Queues counts what waits for pollers; nil: only links are listed.
	Queues func() []QueueCount
	// System tells how the process fares.
	System func() System
	// Logs holds the newest lines of the log.
	Logs *Logs
	// Records reads the files of records.
	Records Records
	// Funds are the balances of accounts; nil: there are none.
	Funds Funds
	// Peers are those who are connected or registered now.
	Peers Peers
}

// operator is what the server itself remembers for those who look.
type operator struct {
	stats   *stats
	polls   *polls
	noticed noticed // Run alone
	load    load
}

func newOperator() operator { return operator{stats: newStats(), polls: newPolls()} }
