// Package control has all routes of the control API of veschub-sim, and their types.
package control

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
)

//go:generate go run veschub/internal/generate ../../../sim/control/openapi.json api.go

// Client calls the control API.
type Client struct {
	// URL is the address in the line `control on http://127.0.0.1:PORT/`.
	URL string
	// Token is what --control-token-file holds, if the hub wants one.
	Token string
}

// Error is a request that the hub refuses.
type Error struct {
	// Status is the HTTP status: 400 for a mistake, 404 for what is not there, 408 for what was not seen in time.
	Status int
	ErrorBody
	// NearMisses are, after 408, the entries of the journal that are the most like what was waited for.
	NearMisses []NearMiss `json:"near_misses"`
}

// Error says what is wrong, and what to do about it.
func (e *Error) Error() string {
	text := e.ErrorBody.Error
	if e.Help != "" {
		text += "; " + e.Help
	}
	for _, near := range e.NearMisses {
		text += "\n  nearly: " + strings.TrimSpace(near.Entry.Text)
		for _, differs := range near.Differs {
			found := differs.Found
			if found == "" {
				found = "absent"
			}
			text += fmt.Sprintf("; %s is %s, not %s", differs.Key, found, differs.Wanted)
		}
	}
	return text
}

// Sends a request, and reads the answer into a []byte or into what JSON becomes.
func (c *Client) call(ctx context.Context, method, path string, query, body, answer any) error {
	var sent io.Reader
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			return err
		}
		sent = bytes.NewReader(text)
	}
	asks, err := encode(query)
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, method, strings.TrimSuffix(c.URL, "/")+path+asks, sent)
	if err != nil {
		return err
	}
	if c.Token != "" {
		request.Header.Set("Authorization", "Bearer "+c.Token)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	if response.StatusCode >= 300 {
		refused := &Error{Status: response.StatusCode}
		if json.Unmarshal(text, refused) != nil {
			refused.ErrorBody.Error = response.Status + ": " + string(text)
		}
		return refused
	}
	switch answer := answer.(type) {
	case nil:
		return nil
	case *[]byte:
		*answer = text
		return nil
	default:
		return json.Unmarshal(text, answer)
	}
}

// The fields of a query that are set, behind a question mark.
func encode(query any) (string, error) {
	text, err := json.Marshal(query)
	if err != nil {
		return "", err
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(text, &fields); err != nil {
		return "", err
	}
	values := url.Values{}
	for key, value := range fields {
		var word string
		if json.Unmarshal(value, &word) != nil {
			word = string(value)
		}
		values.Set(key, word)
	}
	if len(values) == 0 {
		return "", nil
	}
	return "?" + values.Encode(), nil
}
