// Command simulate plays an Active Directory and an Office 365 tenant on this
// machine until it is interrupted, so that anyone can try a real client with no
// directory and no tenant.
//
//	go run ./examples/simulate -people 1000 > sim.env &
//	# once sim.env has its lines:
//	set -a; . ./sim.env; set +a
//	LDAPTLS_CACERT=$LDAP_CA ldapsearch -H "$LDAP_URL" -D "$BIND_DN" -w "$BIND_PASSWORD" -b "$BASE_DN" '(sn=Bauer)'
//	curl -H "Authorization: Bearer $GRAPH_TOKEN" "$GRAPH_URL/users"
//
// It prints these lines on standard output, all at once when both sides listen,
// and nothing more there. They are lines of shell; a value is quoted only where
// the shell needs it.
//
//	LDAP_URL       ldaps://127.0.0.1:PORT
//	LDAP_CA        a PEM file with the authority that signed the certificate
//	BIND_DN        an account that may read everything and ask for changes
//	BIND_PASSWORD  its password, another one each time
//	BASE_DN        the domain: DC=corp,DC=example,DC=com
//	GRAPH_URL      http://127.0.0.1:PORT/v1.0
//	GRAPH_TOKEN    a bearer token, another one each time
//
// Lines of a side that is off are left out. The log goes to standard error; it
// names an account by which the directory can be changed over LDAP.
//
// SIGINT or SIGTERM ends it. Nothing is kept.
package main
