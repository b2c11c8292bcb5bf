package ldapsource_test

import (
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/dirbridge/dirbridge/source/ldapsource"
)

func ExampleNew() {
	password := func(context.Context) (string, error) { // read at every bind, so it can be changed
		b, err := os.ReadFile("/run/secrets/bind-password")
		return strings.TrimSpace(string(b)), err
	}
	src, err := ldapsource.New(
		[]string{"ldaps://dc1.corp.example.com", "ldaps://dc2.corp.example.com"},
		[]string{"OU=People,DC=corp,DC=example,DC=com"},
		ldapsource.Credentials{User: "svc-sync@corp.example.com", Password: password},
		&ldapsource.Options{Attributes: []string{"description"}})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer src.Close()
	fmt.Println(src.Name())

	_, err = ldapsource.New([]string{"ldaps://dc1.corp.example.com"}, []string{"DC=corp,DC=example,DC=com"},
		ldapsource.Credentials{User: "svc-sync@corp.example.com", Password: password},
		&ldapsource.Options{Attributes: []string{"unicodePwd"}})
	fmt.Println(err)
	// Output:
	// ad:corp.example.com
	// ldapsource: attribute "unicodePwd": holds secrets, so it is never read
}
