package adsim_test

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"log"

	"github.com/go-ldap/ldap/v3"

	"github.com/dirbridge/dirbridge/internal/adsim"
)

// A directory of made-up people, served over ldaps, read by an ordinary client.
func Example() {
	dir := adsim.New(nil)
	if err := dir.SeedPeople(25, 1); err != nil {
		log.Fatal(err)
	}
	srv, err := adsim.Start("127.0.0.1:0", dir)
	if err != nil {
		log.Fatal(err)
	}
	defer srv.Close()

	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(srv.CAPEM())
	conn, err := ldap.DialURL(srv.URL(), ldap.DialWithTLSConfig(&tls.Config{RootCAs: pool}))
	if err != nil {
		log.Fatal(err)
	}
	defer conn.Close()
	if err := conn.Bind(dir.AccountDN(adsim.SyncName), adsim.SyncPassword); err != nil {
		log.Fatal(err)
	}
	people := ldap.NewSearchRequest(adsim.PeopleOU+","+dir.BaseDN(), ldap.ScopeWholeSubtree, ldap.NeverDerefAliases, 0, 0, false,
		"(&(objectCategory=person)(objectClass=user))", []string{"displayName"}, nil)
	res, err := conn.SearchWithPaging(people, 10)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(len(res.Entries), "people")
	// Output:
	// 25 people
}
