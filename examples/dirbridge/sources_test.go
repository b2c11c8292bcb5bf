package main

import (
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// several is a configuration with two directories.
var several = regexp.MustCompile(`(?s)  activeDirectory:\n(.*?)target:`).ReplaceAllStringFunc(minimal, func(s string) string {
	body := strings.TrimSuffix(strings.TrimPrefix(s, "  activeDirectory:\n"), "target:")
	lines := strings.Split(strings.TrimRight(body, "\n"), "\n")
	item := "    - " + strings.TrimSpace(lines[0]) + "\n"
	for _, l := range lines[1:] {
		item += "  " + l + "\n"
	}
	return "  name: contoso\n  join: mail\n  moveWait: 1h\n  activeDirectories:\n" + item + strings.Replace(item, "- ", "- name: east\n      ", 1) + "target:"
})

func TestSeveralDirectories(t *testing.T) {
	c, err := check(t, several)
	require.NoError(t, err)
	require.Len(t, c.Source.ActiveDirectories, 2)
	require.Equal(t, "mail", c.Source.join().By)
	require.Equal(t, "1h0m0s", c.Source.moveWait.String())
	for what, edit := range map[string][2]string{
		"source.name: is missing": {"  name: contoso\n", ""},
		"source.join":             {"join: mail", "join: a b"},
		"source.moveWait":         {"moveWait: 1h", "moveWait: soon"},
		"source.activeDirectories.1.servers: is missing":              {"- name: east\n      servers", "- name: east\n      #servers"},
		"source.activeDirectories: activeDirectory and activeDirecto": {"  activeDirectories:", "  activeDirectory: {servers: [a], baseDN: DC=a, bind: {dn: x, passwordEnv: BIND_PASSWORD}}\n  activeDirectories:"},
	} {
		text := strings.Replace(several, edit[0], edit[1], 1)
		require.NotEqual(t, several, text, what)
		_, err := check(t, text)
		require.ErrorContains(t, err, what)
	}
	_, err = check(t, strings.Replace(minimal, "source:\n", "source:\n  join: mail\n", 1))
	require.ErrorContains(t, err, "source.join: is for several")
}
