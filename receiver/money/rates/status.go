package rates

import "time"

// Status is how one provider fares.
type Status struct {
	// Source is the provider's name in the configuration.
	Source string
	// Base and Currencies describe the newest set: its base, and how many rates it has.
	Base       string
	Currencies int
	// Date is the day the source gave for the newest set, Fetched when it was read; both are zero while there is none.
	Date, Fetched time.Time
	// Age is the time since Fetched; 0 while there is no set.
	Age time.Duration
	// LastError is why this receiver's last attempt failed, empty when none did since the newest set. It never contains a
	// key or an URL.
	LastError string
	// NextRefresh is when the provider is due; zero = now.
	NextRefresh time.Time
}

// Status reports on the configured providers, in order of preference.
func (r *Refresher) Status() []Status {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := r.o.Clock()
	all := make([]Status, 0, len(r.sources))
	for _, s := range r.sources {
		status := Status{Source: s.provider.Name, LastError: s.lastError, NextRefresh: r.dueAt(s)}
		if set, ok := r.sets[s.provider.Name]; ok {
			status.Base, status.Currencies = set.Base, len(set.Rates)
			status.Date, status.Fetched, status.Age = set.Date, set.Fetched, now.Sub(set.Fetched)
		}
		all = append(all, status)
	}
	return all
}
