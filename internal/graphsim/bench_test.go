package graphsim_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/dirbridge/dirbridge/internal/graphsim"
)

func benchmarkGet(b *testing.B, tenant *graphsim.Tenant, path string) {
	client := &http.Client{Transport: tenant.Transport()}
	for b.Loop() {
		roundTrip(b, client, tenant, "GET", path, "")
	}
}

func BenchmarkBatchOf20Creates(b *testing.B) {
	tenant := graphsim.New(nil)
	client := &http.Client{Transport: tenant.Transport()}
	n := 0
	for b.Loop() {
		var body strings.Builder
		body.WriteString(`{"requests":[`)
		for i := range 20 {
			if i > 0 {
				body.WriteByte(',')
			}
			n++
			fmt.Fprintf(&body, `{"id":"%d","method":"POST","url":"/users","headers":{"Content-Type":"application/json"},"body":{"accountEnabled":true,"displayName":"u","mailNickname":"u","userPrincipalName":"u%d@contoso.onmicrosoft.com","onPremisesImmutableId":"%d","passwordProfile":{"password":"Correct-Horse-7"}}}`, i, n, n)
		}
		body.WriteString(`]}`)
		roundTrip(b, client, tenant, "POST", "/$batch", body.String())
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "creates/s")
}

func roundTrip(b *testing.B, client *http.Client, tenant *graphsim.Tenant, method, path, body string) {
	r, err := http.NewRequest(method, "https://graph.example/v1.0"+path, strings.NewReader(body))
	if err != nil {
		b.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+tenant.Token())
	r.Header.Set("Content-Type", "application/json")
	resp, err := client.Do(r)
	if err != nil {
		b.Fatal(err)
	}
	defer resp.Body.Close()
	n, err := io.Copy(io.Discard, resp.Body)
	if err != nil || resp.StatusCode != 200 {
		b.Fatalf("status %d, %v", resp.StatusCode, err)
	}
	b.SetBytes(n)
}
