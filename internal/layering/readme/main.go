package main

import (
	"context"
	"log"
	"os"

	"github.com/dirbridge/dirbridge/dirsync"
	"github.com/dirbridge/dirbridge/source/ldapsource"
	"github.com/dirbridge/dirbridge/state/boltstate"
	"github.com/dirbridge/dirbridge/target/graphtarget"
)

func main() {
	if err := run(context.Background()); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context) error {
	src, err := ldapsource.New([]string{"ldaps://dc1.corp.example.com"}, []string{"DC=corp,DC=example,DC=com"},
		ldapsource.Credentials{User: "svc-sync@corp.example.com", Password: ldapsource.Password(os.Getenv("BIND_PASSWORD"))}, nil)
	if err != nil {
		return err
	}
	defer src.Close()
	cred, err := graphtarget.ClientSecret("contoso.onmicrosoft.com", os.Getenv("CLIENT_ID"), os.Getenv("CLIENT_SECRET"), nil)
	if err != nil {
		return err
	}
	tenant, err := graphtarget.New("contoso.onmicrosoft.com", cred, nil)
	if err != nil {
		return err
	}
	store, err := boltstate.Open("dirbridge.db", nil)
	if err != nil {
		return err
	}
	defer store.Close()
	eng, err := dirsync.New(src, tenant, store, nil)
	if err != nil {
		return err
	}
	report, err := eng.Sync(ctx, nil) // everything the first time, then what changed
	log.Printf("%d created, %d updated, %d problems", report.Created, report.Updated, len(report.Problems))
	return err
}
