package request

// Place is where a request says something.
type Place string

// The places.
const (
	PlaceQuery  Place = "query"
	PlacePath   Place = "path"
	PlaceBody   Place = "body"
	PlaceCookie Place = "cookie"
)

// Source is where a value came from. The zero Source is that of no value.
type Source struct {
	Place Place
	// Name is that of the parameter or the cookie. It is a known one where the sender's was repaired.
	Name string
}

// String returns `place:name`, empty for the zero Source.
func (s Source) String() string {
	if s.Place == "" {
		return ""
	}
	return string(s.Place) + ":" + s.Name
}

// Source returns where the value, which is one of p's, came from.
func (p *Parsed) Source(v *Value) Source {
	place := PlaceQuery
	switch {
	case v.InCookie:
		place = PlaceCookie
	case v.InBody:
		place = PlaceBody
	case p.InPath:
		place = PlacePath
	}
	return Source{Place: place, Name: v.Name}
}
