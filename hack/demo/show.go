package main

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"text/tabwriter"

	"github.com/postback-dev/postback-operator/hack/testbed"
)

// postbacks are the examples of docs/semantics.md §9, for a click c1.
var postbacks = []string{
	"subid=c1&status=lead&payout=10",
	"subid=c1&status=lead&payout=10",
	"subid=c1&status=sale&payout=10",
	"subid=c1&status=sale&tid=2",
	"subid=c1&status=new&registration_status=new,registered&sale_status=billed&rejected_status=canceled,fake&tid=3",
	"subid=c1&status=trash&lead_status=hold&sale_status=approved&rejected_status=rejected,trash&tid=4",
	"subid=c1",
	"subid=c1&status=foo",
	"subid={subacc4}&status=sale",
	"clickid=c1&type=sale&profit=5",
	"subid=c1&status=sale&payout=10&currency=eur&tid=9",
	"return=jsonp&status=lead&utm_x=1&revenue=7&sub_id=c1&status=sale&tid=55",
	"revenue=100&currency=usd&subid=c1",
	"subid=c1&status=2&lead_status=2%2C5&sale_status=1&tid=6",
	"subid=c1&status=sale&payout=12.5,&currency=rub,usd,eur&tid=7",
	"subid=c1&status=rejected",
	"subid=c1&status=sale&payout=-3&tid=adj1",
	"subid=c1&status=sale&sub_id_3=abc&keyword=kw&sub_id_31=z&tid=8",
}

// show sends the click and the postbacks, and prints what came back and what is recorded.
func show(ctx context.Context, bed *testbed.Bed) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	service, err := bed.Forward(ctx, namespace, "service/"+fleet, "http")
	if err != nil {
		return err
	}
	ops, err := bed.Forward(ctx, namespace, "deployment/"+fleet, "ops")
	if err != nil {
		return err
	}
	opsToken, err := credential(ctx, bed, fleet+"-ops", "token")
	if err != nil {
		return err
	}
	key, err := credential(ctx, bed, endpoint+"-key", "key")
	if err != nil {
		return err
	}
	token, err := credential(ctx, bed, endpoint+"-key", "clickToken")
	if err != nil {
		return err
	}
	body := strings.NewReader(`{"subid":"c1"}`)
	click, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+service+"/clicks", body)
	if err != nil {
		return err
	}
	click.Header.Set("Authorization", "Bearer "+token)
	_, accepted, err := send(click)
	if err != nil {
		return err
	}
	fmt.Printf("\nA click, c1, is recorded: %s\n", accepted)
	table := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "POSTBACK\tOUTCOME\tREPLY")
	for _, query := range postbacks {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+service+"/"+key+"/postback", nil)
		if err != nil {
			return err
		}
		request.URL.RawQuery = query
		outcome, body, err := send(request)
		if err != nil {
			return err
		}
		fmt.Fprintf(table, "%s\t%s\t%s\n", query, outcome, body)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	return conversions(ctx, ops, opsToken)
}

// conversions prints the conversion log.
func conversions(ctx context.Context, ops, token string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+ops+"/api/v1/conversions?subid=c1", nil)
	if err != nil {
		return err
	}
	request.Header.Set("Authorization", "Bearer "+token)
	_, body, err := send(request)
	if err != nil {
		return err
	}
	var log struct {
		Items []struct {
			TID              string
			Type             string
			PreviousType     string `json:"previous_type"`
			Payout           string
			Currency         string
			OriginalPayout   string `json:"original_payout"`
			OriginalCurrency string `json:"original_currency"`
			State            string
		}
	}
	if err := json.Unmarshal([]byte(body), &log); err != nil {
		return fmt.Errorf("reading the conversion log: %w", err)
	}
	fmt.Println("\nThe conversion log, newest first:")
	table := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "TID\tTYPE\tPREVIOUS\tPAYOUT\tAS SENT\tSTATE")
	for _, c := range log.Items {
		fmt.Fprintf(table, "%s\t%s\t%s\t%s %s\t%s %s\t%s\n", c.TID, c.Type, c.PreviousType,
			c.Payout, c.Currency, c.OriginalPayout, c.OriginalCurrency, c.State)
	}
	return table.Flush()
}

// send sends a request and returns the outcome and the body of the answer. No error has the URL, which has the key.
func send(request *http.Request) (outcome, body string, err error) {
	response, err := http.DefaultTransport.RoundTrip(request)
	if err != nil {
		return "", "", err
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	return response.Header.Get("X-Postback-Outcome"), strings.TrimSpace(string(text)), err
}

// credential reads a field of a generated Secret.
func credential(ctx context.Context, bed *testbed.Bed, secret, field string) (string, error) {
	encoded, err := bed.Kubectl(ctx, "get", "secret", secret, "-n", namespace, "-o", "jsonpath={.data."+field+"}")
	if err != nil {
		return "", err
	}
	value, err := base64.StdEncoding.DecodeString(encoded)
	return string(value), err
}
