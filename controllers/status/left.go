package status

import (
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
)

// FollowWithin is how long another operator may take to look at a declaration before this one says in the status that
// it leaves it alone. While the other one works the status is its to write.
const FollowWithin = time.Minute

// Left remembers declarations that are left to other operators.
type Left struct {
	mu   sync.Mutex
	seen map[types.NamespacedName]left // guarded by mu
}

type left struct {
	why        string
	generation int64
	since      time.Time
}

// Note keeps why a declaration is left alone, as of a generation. news: that was not known, or it was left to somebody
// else. followed is when the other operator should have looked at the generation.
func (l *Left) Note(name types.NamespacedName, generation int64, why string, now time.Time) (news bool,
	followed time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	was := l.seen[name]
	news = was.why != why
	if l.seen == nil {
		l.seen = map[types.NamespacedName]left{}
	}
	if news || was.generation != generation {
		l.seen[name] = left{why: why, generation: generation, since: now}
	}
	return news, l.seen[name].since.Add(FollowWithin)
}

// Forget drops a declaration that is gone or no longer left alone.
func (l *Left) Forget(name types.NamespacedName) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.seen, name)
}
