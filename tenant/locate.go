package tenant

import (
	"strconv"
	"strings"
)

// Locate returns a function that gives faults found after decoding their
// place in the document: path as Decode writes it, such as listen.sip[0].
// Where the document does not name the path, its nearest ancestor that stands
// there is the place.
func Locate(file string, data []byte) func(path, what string) Fault {
	s := &source{file: file, root: parseTree(data, &faults{})}
	return func(path, what string) Fault {
		return Fault{File: file, Line: s.line(path), Path: path, What: what}
	}
}

// line returns where path stands in the file, or where the nearest thing
// around it stands; 0 if the document came from no file.
func (s *source) line(path string) int {
	if s == nil || s.root == nil {
		return 0
	}
	n, line := s.root, s.root.line
	for path != "" && n != nil {
		var step string
		step, path = cutStep(path)
		if i, ok := index(step); ok {
			if i < 0 || i >= len(n.items) {
				return line
			}
			n = n.items[i]
			line = n.line
			continue
		}
		var next *node
		for _, p := range n.keys {
			if p.key == step {
				next, line = p.value, p.line
			}
		}
		n = next
	}
	return line
}

// cutStep takes the first key or index off a path: links[2].uri.
func cutStep(path string) (step, rest string) {
	if strings.HasPrefix(path, "[") {
		i := strings.IndexByte(path, ']')
		return path[:i+1], strings.TrimPrefix(path[i+1:], ".")
	}
	i := strings.IndexAny(path, ".[")
	switch {
	case i < 0:
		return path, ""
	case path[i] == '.':
		return path[:i], path[i+1:]
	}
	return path[:i], path[i:]
}

func index(step string) (int, bool) {
	if !strings.HasPrefix(step, "[") {
		return 0, false
	}
	i, err := strconv.Atoi(strings.Trim(step, "[]"))
	return i, err == nil
}
