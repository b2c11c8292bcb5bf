package audit

import "sort"

// asciiPlain are the ASCII characters that are written as they are. The three of
// HTML are not, so that a line pasted into a page stays text.
var asciiPlain = func() (plain [128]bool) {
	for c := byte(' '); c < 0x7f; c++ {
		plain[c] = c != '"' && c != '\\' && c != '<' && c != '>' && c != '&'
	}
	return plain
}()

// escapes are the ranges of characters beyond ASCII that are never written as
// they are: what has no width, turns the direction of text, breaks lines, or
// isn't a character. It is a table of our own and not one of package unicode,
// since it is part of the format: with another one, old records would no longer
// be canonical.
var escapes = [][2]rune{
	{0x7f, 0xa0},       // DEL, C1, no-break space
	{0xad, 0xad},       // soft hyphen
	{0x34f, 0x34f},     // combining grapheme joiner
	{0x600, 0x605},     // Arabic number signs
	{0x61c, 0x61c},     // Arabic letter mark
	{0x6dd, 0x6dd},     // Arabic end of ayah
	{0x70f, 0x70f},     // Syriac abbreviation mark
	{0x890, 0x891},     // Arabic pound and piastre marks
	{0x8e2, 0x8e2},     // Arabic disputed end of ayah
	{0x115f, 0x1160},   // Hangul fillers
	{0x1680, 0x1680},   // Ogham space
	{0x17b4, 0x17b5},   // Khmer vowels without a glyph
	{0x180b, 0x180f},   // Mongolian selectors and separator
	{0x2000, 0x200f},   // spaces, zero width, direction marks
	{0x2028, 0x202f},   // line and paragraph separators, bidirectional controls
	{0x205f, 0x206f},   // invisible operators, isolates, deprecated controls
	{0x2800, 0x2800},   // Braille blank
	{0x3164, 0x3164},   // Hangul filler
	{0xd800, 0xf8ff},   // surrogates, private use
	{0xfdd0, 0xfdef},   // no characters
	{0xfe00, 0xfe0f},   // variation selectors
	{0xfeff, 0xfeff},   // byte order mark
	{0xffa0, 0xffa0},   // Hangul filler
	{0xfff0, 0xffff},   // specials, among them U+FFFD
	{0x110bd, 0x110bd}, // Kaithi number signs
	{0x110cd, 0x110cd},
	{0x13430, 0x1345f},  // Egyptian format controls
	{0x1bca0, 0x1bca3},  // shorthand format controls
	{0x1d173, 0x1d17a},  // musical format controls
	{0xe0000, 0x10ffff}, // tags, selectors, private use
}

// escaped reports whether r, beyond ASCII, is written as \uXXXX.
func escaped(r rune) bool {
	i := sort.Search(len(escapes), func(i int) bool { return escapes[i][1] >= r })
	return i < len(escapes) && escapes[i][0] <= r || r&0xfffe == 0xfffe
}
