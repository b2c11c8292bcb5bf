package audit_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/dirbridge/dirbridge/dirsync/audit"
	"github.com/dirbridge/dirbridge/dirsync/audit/audittest"
)

// naughty are texts that somebody who may write his own name in a directory may
// choose.
var naughty = []string{
	"", " ", "\x00", "a\x00b", "\r\n", "a\nb", "\u0085", "\u2028", "\u2029", "\x0b\x0c", "\x7f", "\x1b[2J\x1b[1;31mroot\x1b[0m", "\x1b]0;title\x07", "\u009b31m",
	"\u202egnp.exe", "\u2066a\u2069", "\u200f\u200e\u061c", "a\u200bb\u200cc\u200dd\ufeffe\u2060f\u00adg", "\U000e0041\U000e007f", "\ufe0f", "\u3164\uffa0\u115f",
	`{"seq":1,"event":"write"}`, "\"}\n{\"seq\":2}", `","hash":"00"}`, `\`, `\\`, `\"`, `\u0000`, `\ud800`, "<script>alert(1)</script>", "&amp;", "%s%n%d", "${jndi:ldap://x}",
	"\xff", "a\xc3", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xc0\x80", "\ufffd", "\ufffe\uffff", "\U0001fffe", "\U0010ffff",
	"Zoë", "Ærøskøbing", "ﾃｽﾄ", "田中　太郎", "Анна", "👩‍👩‍👧‍👦", "🏳️‍🌈", "Z̮̞̠͙͔ͅa̼͈lgo", "مرحبا", "ﷺ", "'; DROP TABLE users; --", "null", "true", "NaN", "-0", "1e400",
	strings.Repeat("x", 70<<10), strings.Repeat("ü", 40<<10), strings.Repeat("\xff", 70<<10), strings.Repeat("\n", 65<<10),
}

// requireHarmless checks that line is one line for any viewer.
func requireHarmless(t testing.TB, line []byte) {
	t.Helper()
	require.True(t, utf8.Valid(line))
	require.Equal(t, byte('\n'), line[len(line)-1])
	for i, r := range string(line[:len(line)-1]) {
		if unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp, unicode.Cs, unicode.Co, unicode.Noncharacter_Code_Point,
			unicode.Variation_Selector, unicode.Other_Default_Ignorable_Code_Point) || strings.ContainsRune("<>&", r) {
			t.Fatalf("U+%04X at byte %d of %q", r, i, line)
		}
	}
}

// requireRoundTrip seals r and checks all that holds of every sealed record.
func requireRoundTrip(t testing.TB, r audit.Record) []byte {
	t.Helper()
	r.Seal(audit.Head{Seq: 6, Hash: "beef"})
	require.NoError(t, r.Check())
	line, err := audit.Encode(&r)
	require.NoError(t, err)
	requireHarmless(t, line)
	got, err := audit.Decode(line)
	require.NoError(t, err)
	require.Equal(t, r, got)

	// Any reader of JSON sees the same.
	var other audit.Record
	require.NoError(t, json.Unmarshal(line, &other))
	require.Equal(t, r, other)

	// Sealing again changes nothing.
	r.Seal(audit.Head{Seq: 6, Hash: "beef"})
	require.Equal(t, got, r)
	return line
}

// full has s wherever a record has text.
func full(s string) audit.Record {
	values := map[string][]string{s: {s, "", s}, "a" + s: {}, "b": nil}
	return audit.Record{
		Time: time.Date(2026, 3, 29, 2, 30, 0, 120, time.FixedZone("", 7200)), Run: math.MaxUint64, Event: audit.Event(s), Op: s, Kind: s, Source: s, Name: s, Target: s, Anchor: s, UPN: s,
		Before: values, After: values, Outcome: audit.Outcome(s), Error: s, Repeat: true, Reason: s, Rules: []audit.Rule{{Attribute: s, Rule: s, Branch: s}, {}},
		Evidence: &audit.Evidence{Kind: s, Detail: s, Seen: time.Unix(1, 0)}, Plan: s, Approver: s, RequestID: s, ClientRequestID: s, Detail: s,
	}
}

func TestA14_NothingThatSomebodyWritesIntoHisNameActsOnAViewerOfTheLog(t *testing.T) {
	for _, s := range naughty {
		requireRoundTrip(t, full(s))
		requireRoundTrip(t, audit.Record{Name: s})
	}
	requireRoundTrip(t, full(strings.Join(naughty[:len(naughty)-4], "")))
	requireRoundTrip(t, audit.Record{})
}

func TestA14_EveryCharacterThatCanNotBeSeenIsEscaped(t *testing.T) {
	var all strings.Builder
	for r := rune(0); r <= unicode.MaxRune; r++ {
		if all.WriteRune(r); all.Len() > 30<<10 || r == unicode.MaxRune {
			requireRoundTrip(t, audit.Record{Name: all.String()})
			all.Reset()
		}
	}
}

func TestWhatPeopleAreCalledStaysReadable(t *testing.T) {
	for _, s := range []string{"Zoë", "Ærøskøbing", "田中　太郎", "Анна", "مرحبا", "O'Neill-Łoś", "👩"} {
		require.Contains(t, string(requireRoundTrip(t, audit.Record{Name: s})), s)
	}
}

func FuzzRoundTrip(f *testing.F) {
	for _, s := range naughty[:len(naughty)-4] {
		f.Add(s, s, int64(len(s)), true)
	}
	f.Fuzz(func(t *testing.T, a, b string, nano int64, flag bool) {
		r := full(a)
		r.Name, r.After, r.Time, r.Repeat = b, map[string][]string{a: {b}, b: {a}}, time.Unix(0, nano), flag
		requireRoundTrip(t, r)
	})
}

func FuzzDecode(f *testing.F) {
	for _, r := range audittest.Chain(audit.Head{}, 3, "a") {
		line, err := audit.Encode(&r)
		require.NoError(f, err)
		f.Add(line)
	}
	f.Add([]byte(`{"seq":1,"name":"\ud83d\ude00"}`))
	f.Add([]byte(`{"seq":1,"after":{"a":["b"],"a":[]}}`))
	f.Fuzz(func(t *testing.T, line []byte) {
		r, err := audit.Decode(line)
		if err != nil {
			return
		}
		again, err := audit.Encode(&r)
		require.NoError(t, err)
		require.Equal(t, string(bytes.TrimSuffix(line, []byte("\n"))), strings.TrimSuffix(string(again), "\n"))
		requireHarmless(t, again)
	})
}

func TestThereIsOneWayToWriteARecord(t *testing.T) {
	for _, good := range []string{
		`{"seq":1}`, `{"seq":18446744073709551615,"after":{"a":[],"b":["x","y"]},"repeat":true,"rules":[{"attribute":"a","rule":"","branch":""}]}`,
		`{"seq":1,"time":"2026-01-02T03:04:05.06Z","name":"\u0009\"\\\udb40\udc41ü","evidence":{"kind":""}}`,
	} {
		_, err := audit.Decode([]byte(good))
		require.NoError(t, err, good)
	}
	for _, bad := range []string{
		``, `{}`, `[]`, `null`, `{"seq":1`, `{"seq":1}}`, ` {"seq":1}`, `{"seq":1} `, `{"seq": 1}`, `{"seq":01}`, `{"seq":-1}`, `{"seq":1.0}`, `{"seq":1e0}`, `{"seq":18446744073709551616}`,
		`{"Seq":1}`, `{"name":"a","seq":1}`, `{"seq":1,"name":"a","run":1}`, `{"seq":1,"run":0}`, `{"seq":1,"run":1,"run":1}`, `{"seq":1,"name":""}`, `{"seq":1,"color":"red"}`,
		`{"seq":1,"name":null}`, `{"seq":1,"repeat":false}`, `{"seq":1,"after":{}}`, `{"seq":1,"after":{"b":[],"a":[]}}`, `{"seq":1,"after":{"a":["b"],"a":[]}}`, `{"seq":1,"after":{"a":null}}`,
		`{"seq":1,"after":{"a":["b",]}}`, `{"seq":1,"after":{"a":["b"]`, `{"seq":1,"after":{"a":[`, `{"seq":1,"after":{`, `{"seq":1,"rules":[]}`, `{"seq":1,"rules":[{}]}`, `{"seq":1,"rules":[`, `{"seq":1,"evidence":{}}`,
		`{"seq":1,"name":"\u00e9"}`, `{"seq":1,"name":"\u001F"}`, `{"seq":1,"name":"\n"}`, `{"seq":1,"name":"\/"}`, `{"seq":1,"name":"\u+041"}`, `{"seq":1,"name":"\ud800"}`, `{"seq":1,"name":"\ud800\u0041"}`, `{"seq":1,"name":"\udc00\ud800"}`,
		"{\"seq\":1,\"name\":\"\x1b\"}", "{\"seq\":1,\"name\":\"\u202e\"}", "{\"seq\":1,\"name\":\"\xff\"}", `{"seq":1,"name":"<"}`, `{"seq":1,"name":"\u`, `{"seq":1,"name":"\`, `{"seq":1,"name":"`,
		`{"seq":1,"time":"2026-01-02T03:04:05+00:00"}`, `{"seq":1,"time":"2026-01-02T03:04:05.060Z"}`, `{"seq":1,"time":"2026-01-02T03:04:05,06Z"}`, `{"seq":1,"time":"0001-01-01T00:00:00Z"}`, `{"seq":1,"time":"x"}`,
		"{\"seq\":1}\n\n", "{\"seq\":1}\r\n",
	} {
		_, err := audit.Decode([]byte(bad))
		require.Error(t, err, bad)
	}
}

func TestTheFormatStaysAsItIs(t *testing.T) {
	r := audittest.Chain(audit.Head{}, 3, "a")[2]
	line, err := audit.Encode(&r)
	require.NoError(t, err)
	const prev, hash = "a55c01e3ea8ca5e49bd5e5a434fcd8dc2ccfc7041155e5d90948c461c66968b8", "f062ac8ee7cf8c02a7890aad9066933985738988135a3eed0d196bdcb17a26f3"
	require.Equal(t, `{"seq":3,"time":"2026-01-02T03:04:05.000000002Z","run":7,"event":"write","op":"update","kind":"user",`+
		`"source":"00000000-0000-0000-0000-000000000002","name":"CN=Zoë\u202e\u000d\u000a\u001b[2J,DC=corp,DC=example","target":"account-2","anchor":"AAAA","upn":"u2@corp.example",`+
		`"before":{"mail":[],"title":["\"}\u000a{\"seq\":1}"]},"after":{"otherMails":["a@corp.example",""],"title":["a"]},"outcome":"applied","reason":"changed: xx",`+
		`"rules":[{"attribute":"title","rule":"copy","branch":""}],"evidence":{"kind":"deleted","seen":"2026-01-02T03:04:05.000000002Z"},"plan":"p","approver":"carol","requestId":"q","detail":"d",`+
		`"prev":"`+prev+`","hash":"`+hash+`"}`+"\n", string(line))
}

// What doc.go says that anybody can do with other tools.
func TestAHashIsThatOfTheLineWithoutIt(t *testing.T) {
	for _, r := range audittest.Chain(audit.Head{}, 3, "a") {
		line, err := audit.Encode(&r)
		require.NoError(t, err)
		head, tail, found := strings.Cut(string(line), `,"hash":"`)
		require.True(t, found)
		require.Equal(t, r.Hash+"\"}\n", tail)
		sum := sha256.Sum256([]byte(head + "}"))
		require.Equal(t, hex.EncodeToString(sum[:]), r.Hash)
	}
}
