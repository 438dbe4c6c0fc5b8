package space

import "testing"

func TestWhatAVolumeHasRoomFor(t *testing.T) {
	const mib, gib = 1 << 20, 1 << 30
	for name, c := range map[string]struct {
		room    Room
		reserve int64
		want    Level
	}{
		"an empty volume":                         {Room{Free: 10 * gib, Total: 10 * gib}, 0, Everything},
		"the default reserve of a large volume":   {Room{Free: 256 * mib, Total: 1 << 40}, 0, Everything},
		"a byte less":                             {Room{Free: 256*mib - 1, Total: 1 << 40}, 0, NoClicks},
		"the default reserve of a small volume":   {Room{Free: 50 * mib, Total: 1000 * mib}, 0, Everything},
		"a byte less of that":                     {Room{Free: 50*mib - 1, Total: 1000 * mib}, 0, NoClicks},
		"half of the reserve":                     {Room{Free: 50, Total: gib}, 100, NoClicks},
		"less than half":                          {Room{Free: 49, Total: gib}, 100, NoQueries},
		"a quarter":                               {Room{Free: 25, Total: gib}, 100, NoQueries},
		"less than a quarter":                     {Room{Free: 24, Total: gib}, 100, NoPostbacks},
		"a full volume":                           {Room{Total: gib}, 100, NoPostbacks},
		"what is free in the files is used first": {Room{Free: 25, Reusable: gib, Total: gib}, 100, Everything},
		"but needs some free space":               {Room{Free: 24, Reusable: gib, Total: gib}, 100, NoClicks},
		"of which there is hardly any":            {Room{Free: 6, Reusable: gib, Total: gib}, 100, NoPostbacks},
		"a little is free in the files":           {Room{Free: 80, Reusable: 19, Total: gib}, 100, NoClicks},
		"a reserve that is larger than the volume is a bad choice, and kept": {Room{Free: 99, Total: 99}, 100, NoClicks},
	} {
		t.Run(name, func(t *testing.T) {
			if got := c.room.Level(c.reserve); got != c.want {
				t.Errorf("%+v with a reserve of %d: %v, want %v", c.room, c.reserve, got, c.want)
			}
		})
	}
}
