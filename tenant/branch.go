package tenant

// Branch returns the account and all below it, in the order of the document.
// It is at hand for accounts with a limit on their backlog, which is the
// backlog of them all; of another it is nil.
func (d *Directory) Branch(account string) []string { return d.branches[account] }

// branch gathers the branches of accounts with a limit on their backlog.
func (d *Directory) branch() {
	d.branches = make(map[string][]string)
	for i := range d.doc.Accounts {
		name := d.doc.Accounts[i].Name
		for _, a := range d.Ancestors(name) {
			if a.Limits.Backlog > 0 {
				d.branches[a.Name] = append(d.branches[a.Name], name)
			}
		}
	}
}
