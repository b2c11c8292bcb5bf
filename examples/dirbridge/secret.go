package main

import (
	"errors"
	"fmt"
	"os"
	"regexp"
	"strings"
)

// An environment looks a variable up, as [os.LookupEnv] does.
type environment func(name string) (string, bool)

// A secret says where a secret is: in an environment variable or a file.
type secret struct {
	env, file string
	lookup    environment
}

var (
	variableName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)
	usualName    = regexp.MustCompile(`^[A-Z][A-Z_]*[0-9]?$`)
)

// named is the variable in words. What doesn't look like the usual name of one
// may be the secret itself, put in the wrong place: it isn't shown.
func (s secret) named() string {
	if usualName.MatchString(s.env) {
		return "the environment variable " + s.env
	}
	return "the environment variable that is named here"
}

// read gives the secret as it is now; a file's one line ending is no part of it.
// Its errors never show what was read.
func (s secret) read() (string, error) {
	if s.file != "" {
		text, err := os.ReadFile(s.file)
		if err != nil {
			return "", err
		}
		value := strings.TrimSuffix(strings.TrimSuffix(string(text), "\n"), "\r")
		if value == "" {
			return "", fmt.Errorf("the file %s is empty", s.file)
		}
		return value, nil
	}
	if !variableName.MatchString(s.env) {
		return "", errors.New("want the name of an environment variable (letters, digits and _), not the secret itself")
	}
	value, ok := s.lookup(s.env)
	switch {
	case !ok:
		return "", errors.New(s.named() + " isn't set")
	case value == "":
		return "", errors.New(s.named() + " is empty")
	}
	return value, nil
}
