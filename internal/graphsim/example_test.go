package graphsim_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/dirbridge/dirbridge/internal/graphsim"
)

// A tenant on loopback, asked with nothing but net/http: a user whose domain
// isn't verified is refused as Microsoft refuses it.
func Example() {
	tenant := graphsim.New(&graphsim.Options{Domains: []string{"contoso.com"}})
	server, err := tenant.Start("127.0.0.1:0")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer server.Close()

	create := func(upn string) {
		body := `{"accountEnabled":true,"displayName":"Ann","mailNickname":"ann","userPrincipalName":"` + upn +
			`","passwordProfile":{"password":"Correct-Horse-7"}}`
		req, _ := http.NewRequest("POST", server.URL+"/users", strings.NewReader(body))
		req.Header.Set("Authorization", "Bearer "+server.Token)
		req.Header.Set("Content-Type", "application/json")
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			fmt.Println(err)
			return
		}
		defer resp.Body.Close()
		answer, _ := io.ReadAll(resp.Body)
		fmt.Println(resp.StatusCode, strings.Contains(string(answer), "You must use one of the verified domain names"))
	}
	create("ann@corp.local")
	create("ann@contoso.com")
	for _, u := range tenant.Users() {
		fmt.Println(u.UPN(), u.Get("displayName"))
	}
	// Output:
	// 400 true
	// 201 false
	// ann@contoso.com Ann
}
