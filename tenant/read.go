package tenant

// ReadDocument reads a document, YAML or JSON, strictly and with every
// default, but does not ask whether it fits together: for one object that is
// about to be put among those that are declared. The paths of faults are those
// of the document.
func ReadDocument(data []byte) (Document, []Fault) {
	f := &faults{}
	var doc Document
	if root := parseTree(data, f); root != nil {
		doc = readDocument(root, f)
	}
	return doc, f.sorted()
}
