package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"
)

// measureExport has a receiver that does nothing else write its conversions as a table, and looks at the most memory
// that it has ever had.
func measureExport(ctx context.Context, b *bench) error {
	const mostBytes = 128 << 20
	if err := b.stop(); err != nil {
		return err
	}
	if err := b.start(ctx); err != nil {
		return err
	}
	span := time.Duration(float64(days*24*time.Hour) * min(1, float64(b.exported)/float64(b.world.conversions)))
	query := url.Values{}
	if span < days*24*time.Hour {
		query.Set("from", b.world.until.Add(-span).Format(time.RFC3339))
	}
	start := time.Now()
	lines, bytes, err := countLines(ctx, "http://"+b.receiver.OpsAddr+"/api/v1/conversions.csv?"+query.Encode())
	if err != nil {
		return err
	}
	took := time.Since(start)
	peak, err := b.receiver.PeakMemory()
	if err != nil {
		return err
	}
	own, err := b.receiver.Memory()
	if err != nil {
		return err
	}
	b.out.add(row{
		store: b.name, what: fmt.Sprintf("CSV of %d conversions, %.0f MB, %.0f rows a second: most memory of the receiver "+
			"(VmHWM), of it its own at the end", lines-1, float64(bytes)/1e6, float64(lines-1)/took.Seconds()),
		measured: fmt.Sprintf("%s, %s", inMebibytes(peak), inMebibytes(own)), goal: "below " + inMebibytes(mostBytes),
		met: peak < mostBytes,
	})
	return b.stop()
}

// countLines reads an answer to its end and keeps nothing of it.
func countLines(ctx context.Context, address string) (lines int, bytes int64, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return 0, 0, err
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, 0, err
	}
	defer func() { _ = answer.Body.Close() }()
	if answer.StatusCode != http.StatusOK {
		return 0, 0, fmt.Errorf("%s: %s", request.URL.Path, answer.Status)
	}
	reader := bufio.NewReaderSize(answer.Body, 1<<20)
	for {
		line, err := reader.ReadSlice('\n')
		bytes += int64(len(line))
		if err == io.EOF {
			return lines, bytes, nil
		}
		if err != nil {
			return 0, 0, err
		}
		lines++
	}
}
