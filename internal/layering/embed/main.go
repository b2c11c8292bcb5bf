package main

import (
	"context"
	"fmt"
	"log"
	"os"

	"github.com/dirbridge/dirbridge/dirsync"
	"github.com/dirbridge/dirbridge/mapping"
	"github.com/dirbridge/dirbridge/source/ldapsource"
	"github.com/dirbridge/dirbridge/state/memstate"
)

func main() {
	if len(os.Args) != 4 {
		log.Fatal("usage: embed ldaps://HOST BASE-DN USER (the password is read from BIND_PASSWORD)")
	}
	if err := run(context.Background(), os.Args[1], os.Args[2], os.Args[3], os.Getenv("BIND_PASSWORD")); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, server, base, user, password string) error {
	bind := ldapsource.Credentials{User: user, Password: ldapsource.Password(password)}
	src, err := ldapsource.New([]string{server}, []string{base}, bind, nil)
	if err != nil {
		return err
	}
	defer src.Close()
	rules, err := mapping.New(&mapping.Options{UsageLocation: "DE"})
	if err != nil {
		return err
	}
	list := newPhoneList()
	eng, err := dirsync.New(src, list, memstate.New(), &dirsync.Options{Mapper: rules})
	if err != nil {
		return err
	}
	if _, err := eng.Sync(ctx, nil); err != nil {
		return err
	}
	for o, err := range list.Current(ctx) {
		if err != nil {
			return err
		}
		fmt.Println(o.Attributes.First("displayName"), o.Attributes.First("businessPhones"))
	}
	return nil
}
