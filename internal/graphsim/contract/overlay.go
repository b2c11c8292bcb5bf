package contract

import (
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"os"
)

// overlay describes calls that Microsoft documents and the description lacks,
// each with the page that it comes from (x-source). It is our reading: change it
// when Microsoft's pages do. What the paths need of their own stands under
// components, with names that begin with "overlay.".
//
//go:embed overlay.json
var overlay []byte

// overlaid is the description at path with our overlay.
func overlaid(path string) ([]byte, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	type part = map[string]json.RawMessage
	var whole part
	var more struct {
		Paths      part
		Components map[string]part
	}
	if err := errors.Join(json.Unmarshal(data, &whole), json.Unmarshal(overlay, &more)); err != nil {
		return nil, err
	}
	var components part
	if err := json.Unmarshal(whole["components"], &components); err != nil {
		return nil, err
	}
	for name, add := range more.Components {
		if components[name], err = joined(components[name], add); err != nil {
			return nil, err
		}
	}
	if whole["components"], err = json.Marshal(components); err != nil {
		return nil, err
	}
	if whole["paths"], err = joined(whole["paths"], more.Paths); err != nil {
		return nil, err
	}
	return json.Marshal(whole)
}

// joined is the object with more members, none of which it has already.
func joined(object json.RawMessage, more map[string]json.RawMessage) (json.RawMessage, error) {
	all := map[string]json.RawMessage{}
	if len(object) > 0 {
		if err := json.Unmarshal(object, &all); err != nil {
			return nil, err
		}
	}
	for name, value := range more {
		if all[name] != nil {
			return nil, fmt.Errorf("the overlay has %s, and so has the description by now: take it out of the overlay", name)
		}
		all[name] = value
	}
	return json.Marshal(all)
}
