// Package tenant knows who may speak and what they have declared: accounts in
// a tree, links, routes, rules and hosted numbers. It reads the document that
// declares them, checks it whole, keeps it, and hands out immutable snapshots.
//
// It refuses to do anything about a message: it opens no socket, knows no
// protocol beyond the words of a link's settings, and keeps nothing but small
// records on a shelf that somebody else provides. What decides ways is handed
// to package routing, which checks its own part.
package tenant
