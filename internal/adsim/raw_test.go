package adsim_test

import (
	"crypto/tls"
	"testing"

	ber "github.com/go-asn1-ber/asn1-ber"
	"github.com/go-ldap/ldap/v3"
	"github.com/stretchr/testify/require"

	"github.com/dirbridge/dirbridge/internal/adsim"
)

// rawConn speaks LDAP message by message, where go-ldap hides them.
type rawConn struct {
	t *testing.T
	c *tls.Conn
}

func rawDial(t *testing.T, s *adsim.Server) *rawConn {
	c, err := tls.Dial("tcp", s.URL()[len("ldaps://"):], s.TLSConfig())
	require.NoError(t, err)
	t.Cleanup(func() { c.Close() })
	r := &rawConn{t, c}
	r.send(1, bindOp(s.Directory().AccountDN(adsim.SyncName), adsim.SyncPassword))
	require.EqualValues(t, ldap.ApplicationBindResponse, r.next(1))
	return r
}

func (r *rawConn) send(id int64, op *ber.Packet) {
	_, err := r.c.Write(message(id, op))
	require.NoError(r.t, err)
}

func (r *rawConn) search(id int64, s *ldap.SearchRequest) {
	r.send(id, searchOp(r.t, s))
}

func (r *rawConn) abandon(id, target int64) {
	r.send(id, ber.NewInteger(ber.ClassApplication, ber.TypePrimitive, ldap.ApplicationAbandonRequest, target, ""))
}

// next is the kind of the next message, which must belong to the operation id.
func (r *rawConn) next(id int64) ber.Tag {
	p, err := ber.ReadPacket(r.c)
	require.NoError(r.t, err)
	require.Equal(r.t, id, p.Children[0].Value)
	return p.Children[1].Tag
}

func message(id int64, op *ber.Packet) []byte {
	p := ber.NewSequence("")
	p.AppendChild(ber.NewInteger(ber.ClassUniversal, ber.TypePrimitive, ber.TagInteger, id, ""))
	p.AppendChild(op)
	return p.Bytes()
}

func bindOp(name, password string) *ber.Packet {
	p := ber.Encode(ber.ClassApplication, ber.TypeConstructed, ldap.ApplicationBindRequest, nil, "")
	p.AppendChild(ber.NewInteger(ber.ClassUniversal, ber.TypePrimitive, ber.TagInteger, 3, ""))
	p.AppendChild(ber.NewString(ber.ClassUniversal, ber.TypePrimitive, ber.TagOctetString, name, ""))
	p.AppendChild(ber.NewString(ber.ClassContext, ber.TypePrimitive, 0, password, ""))
	return p
}

func searchOp(t testing.TB, s *ldap.SearchRequest) *ber.Packet {
	filter, err := ldap.CompileFilter(s.Filter)
	require.NoError(t, err)
	p := ber.Encode(ber.ClassApplication, ber.TypeConstructed, ldap.ApplicationSearchRequest, nil, "")
	p.AppendChild(ber.NewString(ber.ClassUniversal, ber.TypePrimitive, ber.TagOctetString, s.BaseDN, ""))
	for i, tag := range []ber.Tag{ber.TagEnumerated, ber.TagEnumerated, ber.TagInteger, ber.TagInteger} {
		p.AppendChild(ber.NewInteger(ber.ClassUniversal, ber.TypePrimitive, tag, []int{s.Scope, 0, 0, 0}[i], ""))
	}
	p.AppendChild(ber.NewLDAPBoolean(ber.ClassUniversal, ber.TypePrimitive, ber.TagBoolean, false, ""))
	p.AppendChild(filter)
	p.AppendChild(ber.NewSequence(""))
	return p
}
