package tenant

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/goccy/go-yaml"
)

// JSON writes the document with the keys, the order and the values of
// [Document.YAML]. ParseDocument reads it too.
func (d *Document) JSON(secrets bool) ([]byte, error) {
	var v any
	if err := yaml.UnmarshalWithOptions(d.YAML(secrets), &v, yaml.UseOrderedMap()); err != nil {
		return nil, fmt.Errorf("writing the document as JSON: %w", err)
	}
	return appendJSON(nil, v)
}

// appendJSON writes what the YAML library read, maps in their order. The
// library's own writer quotes as Go does, which is not JSON.
func appendJSON(dst []byte, v any) ([]byte, error) {
	var err error
	switch v := v.(type) {
	case yaml.MapSlice:
		dst = append(dst, '{')
		for i, item := range v {
			if i > 0 {
				dst = append(dst, ',')
			}
			if dst, err = appendJSON(dst, fmt.Sprint(item.Key)); err != nil {
				return nil, err
			}
			if dst, err = appendJSON(append(dst, ':'), item.Value); err != nil {
				return nil, err
			}
		}
		return append(dst, '}'), nil
	case []any:
		dst = append(dst, '[')
		for i, item := range v {
			if i > 0 {
				dst = append(dst, ',')
			}
			if dst, err = appendJSON(dst, item); err != nil {
				return nil, err
			}
		}
		return append(dst, ']'), nil
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err = e.Encode(v); err != nil {
		return nil, fmt.Errorf("writing the document as JSON: %w", err)
	}
	return append(dst, bytes.TrimSuffix(b.Bytes(), []byte("\n"))...), nil
}
