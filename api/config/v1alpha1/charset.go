package v1alpha1

import "slices"

// charsets are those of [Endpoint.Charset], by their names on the web.
var charsets = []string{
	"big5", "euc-jp", "euc-kr", "gb18030", "gbk", "iso-8859-2", "iso-8859-5", "koi8-r", "koi8-u", "shift_jis",
	"windows-1250", "windows-1251", "windows-1252", "windows-1253", "windows-1254", "windows-1257", "windows-1258",
	"windows-874",
}

// Charsets returns what [Endpoint.Charset] may be, sorted.
func Charsets() []string { return slices.Clone(charsets) }
