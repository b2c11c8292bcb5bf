package adsim_test

import (
	"io"
	"net"
	"testing"

	ber "github.com/go-asn1-ber/asn1-ber"
	"github.com/go-ldap/ldap/v3"
	"github.com/stretchr/testify/require"

	"github.com/dirbridge/dirbridge/internal/adsim"
)

// FuzzServer sends any bytes after a good bind: the server may answer what it
// likes, but goes on living.
func FuzzServer(f *testing.F) {
	s, err := adsim.NewServer(adsim.New(nil))
	require.NoError(f, err)
	f.Cleanup(func() { s.Close() })
	bind := message(1, bindOp(s.Directory().AccountDN(adsim.AdminName), adsim.AdminPassword))
	for _, filter := range []string{"(objectClass=*)", "(&(cn=a*b*c)(!(mail>=x)))", "(userAccountControl:1.2.840.113556.1.4.803:=2)", "(manager=<GUID=00>)"} {
		f.Add(message(2, searchOp(f, ldap.NewSearchRequest(s.Directory().BaseDN(), 2, 0, 0, 0, false, filter, []string{"*", "member;range=1-2"}, nil))))
	}
	for _, ctl := range []ldap.Control{ldap.NewControlPaging(3), ldap.NewRequestControlDirSync(1, 0, make([]byte, 108)), &rawControl{"1.2.840.113556.1.4.529", []byte{0x30, 3, 2, 1, 1}}} {
		p := ber.NewSequence("")
		p.AppendChild(ber.NewInteger(ber.ClassUniversal, ber.TypePrimitive, ber.TagInteger, 2, ""))
		p.AppendChild(searchOp(f, ldap.NewSearchRequest(s.Directory().BaseDN(), 2, 0, 0, 0, false, "(cn=*)", nil, nil)))
		list := ber.Encode(ber.ClassContext, ber.TypeConstructed, 0, nil, "")
		list.AppendChild(ctl.Encode())
		p.AppendChild(list)
		f.Add(p.Bytes())
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		client, server := net.Pipe()
		done := make(chan struct{})
		go func() {
			s.ServeConn(server)
			close(done)
		}()
		go io.Copy(io.Discard, client)
		client.Write(bind)
		client.Write(b)
		client.Close()
		<-done
	})
}
