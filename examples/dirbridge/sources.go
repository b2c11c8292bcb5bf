package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/dirbridge/dirbridge/mapping"
	"github.com/dirbridge/dirbridge/source"
)

// directories are those of the configuration, with the keys under which each
// stands there.
func (c sourceConfig) directories() (list []*adConfig, keys [][]string) {
	if c.ActiveDirectory != nil {
		list, keys = append(list, c.ActiveDirectory), append(keys, []string{"source", "activeDirectory"})
	}
	for i, ad := range c.ActiveDirectories {
		if ad == nil {
			ad = &adConfig{}
		}
		list, keys = append(list, ad), append(keys, []string{"source", "activeDirectories", strconv.Itoa(i)})
	}
	return list, keys
}

// join is the rule by which objects are one person, nil for none.
func (c sourceConfig) join() *mapping.Join {
	if c.Join == "" {
		return nil
	}
	return &mapping.Join{By: c.Join}
}

// sources finds what is wrong with where people come from.
func (v *checker) sources() {
	c := &v.Source
	list, keys := c.directories()
	switch {
	case len(list) == 0:
		v.bad("is missing: where people come from", "source", "activeDirectory")
	case c.ActiveDirectory != nil && len(list) > 1:
		v.bad("activeDirectory and activeDirectories are both given: keep one", "source", "activeDirectories")
	case len(list) == 1:
		for key, value := range map[string]string{"name": c.Name, "join": c.Join, "moveWait": c.MoveWait} {
			if value != "" {
				v.bad("is for several activeDirectories; the name of one stands in it", "source", key)
			}
		}
	default:
		v.required(c.Name, "source", "name")
	}
	for i, ad := range list {
		v.activeDirectory(ad, keys[i])
	}
	if err := c.join().Check(); err != nil {
		v.bad(strings.TrimPrefix(err.Error(), "mapping: join: "), "source", "join")
	}
	v.duration(c.MoveWait, &c.moveWait, "source", "moveWait")
}

// others are the sources beside the first.
func (x *parts) others() (list []source.Source) {
	for _, s := range x.sources[1:] {
		list = append(list, s)
	}
	return list
}

// called asks the directories which objects a name means. One of several that
// can't be asked has no say.
func (x *parts) called(ctx context.Context, name string) (all []source.ID, err error) {
	asked := false
	var wrong error
	for _, s := range x.sources {
		found, err := source.Resolve(ctx, s, name)
		if err != nil {
			wrong = errors.Join(wrong, fmt.Errorf("look for %s in the directory: %w", plain(name), err))
			continue
		}
		asked, all = true, append(all, found...)
	}
	if !asked || len(all) == 0 && wrong != nil {
		return nil, wrong
	}
	slices.Sort(all)
	return slices.Compact(all), nil
}
