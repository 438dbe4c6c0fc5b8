package server

import (
	"context"
	"log/slog"
	"strings"
)

// errorLog takes what net/http has to say about connections. Its lines are free text, so a path, in which the key
// stands, could be in one: whatever follows the first slash is left out.
type errorLog struct{ logger *slog.Logger }

const maxErrorLine = 200

// Write implements [io.Writer] for one line.
func (e errorLog) Write(line []byte) (int, error) {
	text, _, _ := strings.Cut(string(line), "/")
	text, _, _ = strings.Cut(text, "\n")
	text = strings.TrimSpace(text[:min(len(text), maxErrorLine)])
	level := slog.LevelWarn
	if strings.Contains(text, "TLS handshake error") {
		// Scanners and health checks make these all day.
		level = slog.LevelDebug
	}
	e.logger.Log(context.Background(), level, "HTTP server", "message", text)
	return len(line), nil
}
