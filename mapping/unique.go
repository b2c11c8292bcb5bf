package mapping

import (
	"crypto/sha256"
	"encoding/hex"
)

// Placeholder returns the name of one of our own objects that lost its name to
// another of our own: upn's local part, shortened if needed, '-', the first 8
// hexadecimal digits of the SHA-256 of the anchor, at domain (the fallback
// domain). It depends on nothing else, so it is the same in every run:
//
//	Placeholder("bob@contoso.com", "9y6ruRsJv1CEXHK7igDpCQ==", "contoso.onmicrosoft.com")
//	-> bob-b268760d@contoso.onmicrosoft.com
//
// The result is a legal name if domain is a legal domain of at most 48
// characters.
func Placeholder(upn, anchor, domain string) string {
	local, _ := splitLogin(upn)
	if local = CleanLocalPart(local); local == "" {
		local = "user"
	}
	tag := tagOf(anchor)
	if len(local) > mostLocal-len(tag) {
		local = local[:mostLocal-len(tag)]
	}
	return local + tag + "@" + domain
}

// NicknamePlaceholder returns the mailNickname of one of our own groups that lost
// it to another of our own, made in the same way, of at most 64 characters:
//
//	NicknamePlaceholder("sales", "dirbridge-…")
//	-> sales-1a2b3c4d
func NicknamePlaceholder(nickname, anchor string) string {
	tag := tagOf(anchor)
	if nickname = CleanNickname(nickname); nickname == "" {
		nickname = "group"
	}
	return nickname[:min(len(nickname), mostNickname-len(tag))] + tag
}

const mostNickname = 64

// tagOf is what tells placeholders of the same name apart.
func tagOf(anchor string) string {
	sum := sha256.Sum256([]byte(anchor))
	return "-" + hex.EncodeToString(sum[:4])
}
