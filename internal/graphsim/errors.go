package graphsim

import (
	"fmt"
	"net/http"
	"strings"
)

// An apiError is what the Graph error envelope says.
type apiError struct {
	status  int
	code    string
	message string
	details []detail
	header  http.Header
}

type detail struct{ code, message, target string }

const (
	codeBadRequest  = "Request_BadRequest"
	codeNotFound    = "Request_ResourceNotFound"
	codeUnsupported = "Request_UnsupportedQuery"
	codeDenied      = "Authorization_RequestDenied"

	msgSeveralInvalid = "One or more properties contains invalid values."
	msgDenied         = "Insufficient privileges to complete the operation."
	msgSynced         = "Unable to update the specified properties for on-premises mastered Directory Sync objects or objects currently undergoing migration."
	msgOnceSynced     = "Unable to update the specified properties for objects that have originated within an external service."
	msgDomain         = "The domain portion of the userPrincipalName property is invalid. You must use one of the verified domain names in your organization."
	msgEmptyBody      = "An unexpected 'EndOfInput' node was found when reading from the JSON reader. A 'StartObject' node was expected."
)

func badRequest(format string, args ...any) *apiError {
	return &apiError{status: 400, code: codeBadRequest, message: fmt.Sprintf(format, args...)}
}

// invalidValues is the refusal of the values of props: by name for one, in
// general terms for several.
func invalidValues(props ...string) *apiError {
	e := &apiError{status: 400, code: codeBadRequest, message: msgSeveralInvalid}
	for _, p := range props {
		m := fmt.Sprintf("Invalid value specified for property '%s' of resource 'User'.", p)
		e.details = append(e.details, detail{"InvalidValue", m, p})
	}
	if len(props) == 1 {
		e.message = e.details[0].message
	}
	return e
}

func severalInvalid(prop string) *apiError {
	return &apiError{status: 400, code: codeBadRequest, message: msgSeveralInvalid,
		details: []detail{{"InvalidValue", msgSeveralInvalid, prop}}}
}

// conflict is the refusal of a value of prop that the user other holds. The
// second detail, which names the holder, is recorded for proxyAddresses and
// onPremisesImmutableId.
func (t *Tenant) conflict(prop string, other *slot) *apiError {
	m := fmt.Sprintf("Another object with the same value for property %s already exists.", prop)
	e := &apiError{status: 400, code: codeBadRequest, message: m, details: []detail{{"ObjectConflict", m, prop}}}
	if prop != "userPrincipalName" && !t.opts.Switches.NoConflictingObjects {
		sort := "User_"
		if other.group {
			sort = "Group_"
		}
		e.details = append(e.details, detail{"ConflictingObjects", m, sort + other.id})
	}
	return e
}

func notFound(id string) *apiError {
	return &apiError{status: 404, code: codeNotFound, message: fmt.Sprintf(
		"Resource '%s' does not exist or one of its queried reference-property objects are not present.", id)}
}

func denied() *apiError { return &apiError{status: 403, code: codeDenied, message: msgDenied} }

// append adds the envelope to b.
func (e *apiError) append(b []byte, c *call) []byte {
	b = append(b, `{"error":{"code":`...)
	b = appendString(b, e.code)
	b = append(b, `,"message":`...)
	b = appendString(b, e.message)
	if len(e.details) > 0 {
		b = append(b, `,"details":[`...)
		for i, d := range e.details {
			if i > 0 {
				b = append(b, ',')
			}
			b = append(b, `{"code":`...)
			b = appendString(b, d.code)
			b = append(b, `,"message":`...)
			b = appendString(b, d.message)
			b = append(b, `,"target":`...)
			b = appendString(b, d.target)
			b = append(b, '}')
		}
		b = append(b, ']')
	}
	b = append(b, `,"innerError":{"date":`...)
	b = appendString(b, c.now.UTC().Format("2006-01-02T15:04:05"))
	b = append(b, `,"request-id":`...)
	b = appendString(b, c.requestID)
	b = append(b, `,"client-request-id":`...)
	b = appendString(b, c.clientRequestID)
	return append(b, `}}}`...)
}

// statusError is the reply of the service in front of the directory to status,
// for faults and for what the simulator doesn't offer.
func statusError(status int) *apiError {
	code, message := "UnknownError", strings.TrimSpace(http.StatusText(status))
	switch status {
	case 401:
		code, message = "InvalidAuthenticationToken", "Lifetime validation failed, the token is expired."
	case 403:
		return denied()
	case 404:
		code = codeNotFound
	case 405:
		code, message = codeBadRequest, "Specified HTTP method is not allowed for the request target."
	case 409, 412, 423:
		code = map[int]string{409: "Conflict", 412: "preconditionFailed", 423: "resourceLocked"}[status]
	case 429:
		code, message = "TooManyRequests", "Please retry again later."
	case 500:
		code, message = "Service_InternalServerError", "Encountered an internal server error."
	case 503:
		code, message = "ServiceUnavailable", "The service is temporarily unavailable. Please retry again later."
	case 507:
		code = "insufficientStorage"
	}
	return &apiError{status: status, code: code, message: message}
}
