package tenant

import (
	"strconv"
	"strings"
)

// parseInteger reads decimal and 0x numbers. A leading zero, octal in YAML
// 1.1 and decimal in 1.2, is refused: it means something else to each reader.
func parseInteger(s string) (int64, error) {
	digits := strings.TrimLeft(s, "+-")
	if len(digits) > 1 && digits[0] == '0' && digits[1] != 'x' {
		return 0, strconv.ErrSyntax
	}
	return strconv.ParseInt(s, 0, 64)
}

// plain returns a node as plain Go values.
func plain(n *node) any {
	switch n.kind {
	case boolNode:
		return strings.EqualFold(n.text, "true")
	case intNode:
		if x, err := parseInteger(n.text); err == nil {
			return x
		}
	case floatNode:
		if x, err := strconv.ParseFloat(n.text, 64); err == nil {
			return x
		}
	case listNode:
		out := make([]any, 0, len(n.items))
		for _, item := range n.items {
			if item.kind == nullNode {
				out = append(out, nil)
				continue
			}
			out = append(out, plain(item))
		}
		return out
	case dictNode:
		out := make(map[string]any, len(n.keys))
		for _, p := range n.keys {
			if p.value.kind != nullNode {
				out[strings.Clone(p.key)] = plain(p.value)
			}
		}
		return out
	}
	return strings.Clone(n.text)
}
