package mapping_test

import (
	"testing"
	"unicode"

	"github.com/stretchr/testify/require"

	"github.com/dirbridge/dirbridge/mapping"
)

func TestClean(t *testing.T) {
	for _, tt := range []struct{ in, local, nickname string }{
		{"ann", "ann", "ann"},
		{"", "", ""},
		{"Björn Åström", "BjornAstrom", "BjornAstrom"},
		{"Straße", "Strasse", "Strasse"},
		{"ŁukaszŻółć", "LukaszZolc", "LukaszZolc"},
		{"ÆØÅæøå", "AEOAaeoa", "AEOAaeoa"},
		{"ĐorđeÞórÐþð", "DordeTHorDthd", "DordeTHorDthd"},
		{"Nguyễn.Thị", "Nguyen.Thi", "Nguyen.Thi"},
		{"ǿǽǆﬁĳŉ", "oaedzfiijn", "oaedzfiijn"},
		{"Nuñez\u0301", "Nunez", "Nunez"},
		{"İstanbul ışık", "Istanbulisik", "Istanbulisik"},
		{"Σοφία Иван 山田 محمد 😀", "", ""},
		{"ａｎｎ", "", ""},
		{"D’Arc", "DArc", "DArc"},
		{"o'brien", "o'brien", "o'brien"},
		{".ann.", ".ann", "ann"},
		{"...", "", ""},
		{"a..b", "a..b", "a..b"},
		{"a+b=c&d/e", "abcde", "a+b=c&d/e"},
		{`a@(b)\[c]";:<>,d e`, "abcde", "abcde"},
		{"a\x00\x7f\tb\u200b\u00a0c", "abc", "abc"},
		{"a\xff\xc3b", "ab", "ab"},
	} {
		require.Equal(t, tt.local, mapping.CleanLocalPart(tt.in), "%q", tt.in)
		require.Equal(t, tt.nickname, mapping.CleanNickname(tt.in), "%q", tt.in)
	}
}

// Everyday Latin letters must not silently disappear from names.
func TestEveryLatinLetterOfEuropeAndVietnamIsFolded(t *testing.T) {
	for _, r := range []struct{ lo, hi rune }{{0xc0, 0x17f}, {0x1e00, 0x1eff}} {
		for c := r.lo; c <= r.hi; c++ {
			switch {
			case !unicode.Is(unicode.Latin, c):
			case c >= 0x1e9a && c <= 0x1e9d && c != 0x1e9b, c >= 0x1e9f && c <= 0x1e9f, c >= 0x1efa: // letters of medieval scribes
			default:
				require.NotEmpty(t, mapping.CleanLocalPart(string(c)), "%c %U", c, c)
			}
		}
	}
}

func TestFoldingKeepsTheCaseOfLetters(t *testing.T) {
	for c := rune(0x80); c < 0x10000; c++ {
		out := mapping.CleanLocalPart(string(c))
		if out == "" {
			continue
		}
		require.Equal(t, unicode.IsUpper(c) || unicode.IsTitle(c), out[0] >= 'A' && out[0] <= 'Z', "%c %U %s", c, c, out)
	}
}
