package talkers

// capacity is how many are counted at a time.
const capacity = 64

// summary counts the most frequent keys of a stream, by the algorithm Space-Saving (Metwally, Agrawal, El Abbadi 2005):
// a key that is not counted yet takes the place, and the count, of the least frequent one. A key that has more than a
// 64th of all requests is counted, whatever the others send.
type summary[K comparable] struct {
	minute   int64
	counters []counter[K]
	// index of the counters by their keys.
	index map[K]int
}

type counter[K comparable] struct {
	key K
	// requests are at most so many; inherited of them may be those of keys that had the place before.
	requests, inherited int64
	refused             int64
}

func (s *summary[K]) count(key K, refused bool) {
	i, known := s.index[key]
	switch {
	case known:
	case len(s.counters) < capacity:
		i = len(s.counters)
		s.counters = append(s.counters, counter[K]{key: key})
		s.index[key] = i
	default:
		i = s.least()
		least := s.counters[i].requests
		delete(s.index, s.counters[i].key)
		s.counters[i] = counter[K]{key: key, requests: least, inherited: least}
		s.index[key] = i
	}
	s.counters[i].requests++
	if refused {
		s.counters[i].refused++
	}
}

// least returns the index of the least frequent counter.
func (s *summary[K]) least() (least int) {
	for i := range s.counters {
		if s.counters[i].requests < s.counters[least].requests {
			least = i
		}
	}
	return least
}
