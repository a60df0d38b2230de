// A client of the registry as somebody writes it in Go who knows the registry's documents and nothing of the sandbox: token
// by form, the first version of single and list adds, typed structs.
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"
)

type Token struct {
	AccessToken      string `json:"access_token"`
	RefreshToken     string `json:"refresh_token"`
	ExpiresIn        int    `json:"expires_in"`
	RefreshExpiresIn int    `json:"refresh_expires_in"`
	TokenType        string `json:"token_type"`
}

type Consent struct {
	Recipient     string `json:"recipient"`
	RecipientType string `json:"recipientType"`
	Type          string `json:"type"`
	Status        string `json:"status"`
	Source        string `json:"source"`
	ConsentDate   string `json:"consentDate"`
}

type Key struct {
	Recipient     string `json:"recipient"`
	RecipientType string `json:"recipientType"`
	Type          string `json:"type"`
}

type Added struct {
	TransactionID string `json:"transactionId"`
	CreationDate  string `json:"creationDate"`
}

type Listed struct {
	RequestID   string `json:"requestId"`
	SubRequests []struct {
		SubRequestID string `json:"subRequestId"`
		Recipient    string `json:"recipient"`
	} `json:"subRequests"`
}

type Result struct {
	Index         int    `json:"index"`
	Status        string `json:"status"`
	SubRequestID  string `json:"subRequestId"`
	TransactionID string `json:"transactionId"`
	CreationDate  string `json:"creationDate"`
	Error         *Error `json:"error"`
}

type Movement struct {
	Consent
	CreationDate  string `json:"creationDate"`
	TransactionID string `json:"transactionId"`
}

type Changes struct {
	After string     `json:"after"`
	List  []Movement `json:"list"`
}

type Error struct {
	Code     string        `json:"code"`
	Message  string        `json:"message"`
	Location []interface{} `json:"location"`
	Value    interface{}   `json:"value"`
	Index    *int          `json:"index"`
}

type Refusal struct {
	HTTPStatus int
	Errors     []Error `json:"errors"`
}

func (r *Refusal) Error() string {
	codes := []string{}
	for _, one := range r.Errors {
		codes = append(codes, one.Code)
	}
	return fmt.Sprintf("%d %s", r.HTTPStatus, strings.Join(codes, " "))
}

type Client struct {
	base  string
	brand string
	token Token
	http  http.Client
}

func (c *Client) login(form url.Values) error {
	request, err := http.NewRequest("POST", c.base+"/oauth2/token", strings.NewReader(form.Encode()))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return c.send(request, &c.token)
}

func (c *Client) call(method, path string, body, answer interface{}) error {
	text := []byte{}
	if body != nil {
		var err error
		if text, err = json.Marshal(body); err != nil {
			return err
		}
	}
	for {
		request, err := http.NewRequest(method, c.base+c.brand+path, bytes.NewReader(text))
		if err != nil {
			return err
		}
		request.Header.Set("Authorization", "Bearer "+c.token.AccessToken)
		request.Header.Set("Content-Type", "application/json")
		err = c.send(request, answer)
		if refusal, ok := err.(*Refusal); !ok || refusal.HTTPStatus != http.StatusTooManyRequests {
			return err
		}
		time.Sleep(time.Second)
	}
}

func (c *Client) send(request *http.Request, answer interface{}) error {
	response, err := c.http.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	if response.StatusCode >= 300 {
		refusal := &Refusal{HTTPStatus: response.StatusCode}
		if err := json.Unmarshal(text, refusal); err != nil {
			return fmt.Errorf("%s: %d %s", request.URL.Path, response.StatusCode, text)
		}
		return refusal
	}
	if answer == nil || len(text) == 0 {
		return nil
	}
	return json.Unmarshal(text, answer)
}

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "go:", err)
		os.Exit(1)
	}
}

func check(holds bool, what string, values ...interface{}) {
	if !holds {
		fmt.Fprintln(os.Stderr, append([]interface{}{"go: not as documented:", what}, values...)...)
		os.Exit(1)
	}
}

func refusedWith(err error, code string) bool {
	refusal, ok := err.(*Refusal)
	return ok && len(refusal.Errors) > 0 && refusal.Errors[0].Code == code
}

func main() {
	number := os.Getenv("IYS_CODE")
	client := Client{base: os.Getenv("IYS_BASE_URL"), brand: "/sps/" + number + "/brands/" + number}
	client.http.Timeout = 10 * time.Second
	istanbul := time.FixedZone("TRT", 3*60*60)
	ago := func(seconds int) string {
		return time.Now().In(istanbul).Add(time.Duration(-seconds) * time.Second).Format("2006-01-02 15:04:05")
	}

	err := client.login(url.Values{"grant_type": {"password"}, "username": {"nobody"}, "password": {"x"}})
	check(err != nil && strings.HasPrefix(err.Error(), "400"), "wrong credentials are refused with 400", err)
	must(client.login(url.Values{
		"grant_type": {"password"}, "username": {os.Getenv("IYS_USERNAME")}, "password": {os.Getenv("IYS_PASSWORD")},
	}))
	check(client.token.TokenType == "bearer" && client.token.ExpiresIn > 0, "a bearer token", client.token.ExpiresIn)
	must(client.login(url.Values{"grant_type": {"refresh_token"}, "refresh_token": {client.token.RefreshToken}}))

	given := Consent{"+905551112231", "BIREYSEL", "MESAJ", "ONAY", "HS_WEB", ago(120)}
	var added Added
	must(client.call("POST", "/consents", given, &added))
	check(len(added.TransactionID) == 64 && added.CreationDate != "", "an add has its movement", added)
	var current Movement
	must(client.call("POST", "/consents/status", Key{given.Recipient, given.RecipientType, given.Type}, &current))
	check(current.Status == "ONAY" && current.TransactionID == added.TransactionID, "the record is that movement", current)
	check(current.ConsentDate == given.ConsentDate, "its date is as it was sent", current.ConsentDate)
	err = client.call("POST", "/consents", given, &added)
	check(refusedWith(err, "H178"), "the same once more is not later: H178", err)
	given.Recipient = "5551112231"
	err = client.call("POST", "/consents", given, &added)
	check(refusedWith(err, "H121"), "a number without its country: H121", err)

	list := []Consent{}
	for place := 0; place < 20; place++ {
		list = append(list, Consent{"+9055511123" + strconv.Itoa(10+place), "BIREYSEL", "MESAJ", "ONAY", "HS_WEB", ago(90)})
	}
	list[7].Status = "RET"
	var listed Listed
	must(client.call("POST", "/consents/request", list, &listed))
	check(len(listed.SubRequests) == len(list), "one part for each item", len(listed.SubRequests))
	results := []Result{}
	for look := 0; look < 30 && len(results) == 0; look++ {
		time.Sleep(500 * time.Millisecond)
		must(client.call("GET", "/consents/request/"+listed.RequestID, nil, &results))
	}
	check(len(results) == len(list), "one result for each item", len(results))
	for _, result := range results {
		check(result.SubRequestID == listed.SubRequests[result.Index].SubRequestID, "its part by its index", result)
		if result.Index == 7 {
			check(result.Status == "failure" && result.Error != nil && result.Error.Code == "H175", "H175", result)
		} else {
			check(result.Status == "success" && result.TransactionID != "", "success", result)
		}
	}

	seen := map[string]bool{}
	page := Changes{}
	for look := 0; look < 10 && !seen[list[19].Recipient]; look++ {
		time.Sleep(time.Second)
		query := url.Values{"source": {"HS"}, "limit": {"7"}}
		if page.After != "" {
			query.Set("after", page.After)
		}
		for {
			next := Changes{}
			must(client.call("GET", "/consents/changes?"+query.Encode(), nil, &next))
			for _, movement := range next.List {
				check(!seen[movement.Recipient], "each movement once", movement)
				seen[movement.Recipient] = true
			}
			if next.After != "" {
				page = next
				query.Set("after", page.After)
			}
			if len(next.List) < 7 {
				break
			}
		}
	}
	check(len(seen) == len(list), "the feed has the add and the list's successes", len(seen))
	fmt.Printf("go: token, add, status, list of %d and feed as documented\n", len(list))
}
