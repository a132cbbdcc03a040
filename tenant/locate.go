package tenant

import (
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/parser"
)

// Locate returns a function that gives faults found after decoding their
// place in the document: path as Decode writes it, such as listen.sip[0].
// Where the document does not name the path, its nearest ancestor that stands
// there is the place.
func Locate(file string, data []byte) func(path, what string) Fault {
	tree, err := parser.ParseBytes(data, 0)
	return func(path, what string) Fault {
		f := Fault{File: file, Path: path, What: what}
		for p := path; err == nil && p != "" && f.Line == 0; p = parentPath(p) {
			at, err := yaml.PathString("$." + p)
			if err != nil {
				continue
			}
			if node, err := at.FilterFile(tree); err == nil && node != nil {
				f.Line = node.GetToken().Position.Line
			}
		}
		return f
	}
}

// parentPath cuts the last step off a path: a.b[0] -> a.b -> a -> "".
func parentPath(path string) string {
	return path[:max(strings.LastIndexByte(path, '.'), strings.LastIndexByte(path, '['), 0)]
}
