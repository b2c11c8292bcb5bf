package graphsim

import (
	"bytes"
	"compress/gzip"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"time"
)

// breakReply sends a reply in the way that f spoils it.
func (t *Tenant) breakReply(w http.ResponseWriter, r *http.Request, c *call, rep reply, f *Fault) {
	switch f.Break {
	case Hang:
		<-r.Context().Done()
		panic(http.ErrAbortHandler)
	case Truncate:
		if len(rep.body) == 0 {
			panic(http.ErrAbortHandler) // there is no middle
		}
		t.head(w, c, rep)
		w.Header().Set("Content-Length", strconv.Itoa(len(rep.body)))
		w.WriteHeader(rep.status)
		w.Write(rep.body[:len(rep.body)/2])
		http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	case CutJSON:
		rep.body = rep.body[:len(rep.body)/2]
		t.write(w, r, c, rep)
	case Bomb:
		t.head(w, c, rep)
		w.Header().Set("Content-Type", contentType)
		w.Header().Set("Content-Encoding", "gzip")
		w.WriteHeader(http.StatusOK) // a 204 could carry no body
		bomb(w, f.Size)
	case Drip:
		t.head(w, c, rep)
		w.WriteHeader(rep.status)
		for i := range rep.body {
			if !wait(r, f.Pace) {
				panic(http.ErrAbortHandler)
			}
			w.Write(rep.body[i : i+1])
			http.NewResponseController(w).Flush()
		}
	case ForeignLink:
		rep.body = foreign(rep.body, f.Host)
		t.write(w, r, c, rep)
	default:
		panic(http.ErrAbortHandler)
	}
}

// bomb writes valid JSON with size bytes of white space in it.
func bomb(w http.ResponseWriter, size int64) {
	z, _ := gzip.NewWriterLevel(w, gzip.BestSpeed)
	defer z.Close()
	z.Write([]byte(`{"value":[`))
	blank := bytes.Repeat([]byte{' '}, 64<<10)
	for ; size > 0; size -= int64(len(blank)) {
		if _, err := z.Write(blank[:min(size, int64(len(blank)))]); err != nil {
			return // the client has seen enough
		}
	}
	z.Write([]byte(`]}`))
}

var nextLink = regexp.MustCompile(`("@odata\.nextLink":")([^"]*)"`)

func foreign(body []byte, host string) []byte {
	return nextLink.ReplaceAllFunc(body, func(m []byte) []byte {
		parts := nextLink.FindSubmatch(m)
		u, err := url.Parse(string(parts[2]))
		if err != nil {
			return m
		}
		u.Host = host
		return append(append(bytes.Clone(parts[1]), u.String()...), '"')
	})
}

// wait lets d pass; false means that the caller gave up before that.
func wait(r *http.Request, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-r.Context().Done():
		return false
	}
}
