// Package flood sends the real receiver, in little memory, more than it can take, and looks whether it lives and
// whether another tenant's postbacks are taken. It has no code but its tests.
package flood
