// Package space owns how much room on disk senders can take. Requests that were refused leave short and few rows of the
// received log. While a volume fills up, less and less is written to it, so that postbacks are the last to be refused.
// It imports no store engine and no metrics library.
package space
