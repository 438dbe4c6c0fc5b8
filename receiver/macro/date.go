package macro

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// defaultDate is the format of {date}.
const defaultDate = "Y-m-d H:i:s"

// layouts are the letters of PHP's date() that the macro {date:FORMAT} knows, as Keitaro's templates have them, beside
// U and v.
var layouts = map[byte]string{
	'd': "02", 'j': "2", 'D': "Mon", 'l': "Monday", 'm': "01", 'n': "1", 'M': "Jan", 'F': "January", 'Y': "2006",
	'y': "06",
	'H': "15", 'h': "03", 'g': "3", 'i': "04", 's': "05", 'A': "PM", 'a': "pm", 'P': "-07:00", 'O': "-0700",
	'T': "MST", 'c': "2006-01-02T15:04:05-07:00",
}

// Date writes a time in a zone, nil for UTC; an empty format is the default one. A letter behind a backslash, and
// whatever means nothing, stands for itself.
func Date(t time.Time, format string, zone *time.Location) string {
	t = t.In(cmp.Or(zone, time.UTC))
	var text strings.Builder
	format = cmp.Or(format, defaultDate)
	for i := 0; i < len(format); i++ {
		layout, known := layouts[format[i]]
		switch b := format[i]; {
		case b == '\\' && i+1 < len(format):
			i++
			text.WriteByte(format[i])
		case b == 'U':
			text.WriteString(strconv.FormatInt(t.Unix(), 10))
		case b == 'e':
			text.WriteString(t.Location().String())
		case b == 'G':
			text.WriteString(strconv.Itoa(t.Hour()))
		case b == 'u':
			fmt.Fprintf(&text, "%06d", t.Nanosecond()/1000)
		case b == 'v':
			fmt.Fprintf(&text, "%03d", t.Nanosecond()/1e6)
		case known:
			text.WriteString(t.Format(layout))
		default:
			text.WriteByte(b)
		}
	}
	return text.String()
}
