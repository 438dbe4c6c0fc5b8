package main

import (
	"bytes"
	"debug/buildinfo"
	"errors"
	"fmt"
	"io"
	"net/url"
	"runtime/debug"
	"strings"

	spdxjson "github.com/spdx/tools-golang/json"
	"github.com/spdx/tools-golang/spdx/v2/common"
	"github.com/spdx/tools-golang/spdx/v2/v2_3"
)

// License of the product, as SPDX names it, and what is said of all that the programs are built from: nothing, since no
// build information knows it.
const (
	license     = "Apache-2.0"
	noAssertion = "NOASSERTION"
)

// Ids of the document's elements.
const (
	documentID common.ElementID = "DOCUMENT"
	imageID    common.ElementID = "Image"
	programID  common.ElementID = "Program"
	rootsID    common.ElementID = "CertificateAuthorities"
)

// rootsModule has the certificate authorities that are in the image.
const rootsModule = "golang.org/x/crypto/x509roots/fallback"

// writeSBOM writes what an image is made of as SPDX 2.3 in JSON: the program with the modules that its own build
// information names, the Go that compiled it, and the certificate authorities. manifest is the image's digest. The same
// image gives the same bytes.
func (i image) writeSBOM(w io.Writer, manifest string) error {
	info, err := buildinfo.Read(bytes.NewReader(i.Program))
	if err != nil {
		return fmt.Errorf("reading the program's build information: %w", err)
	}
	roots, err := rootsVersion()
	if err != nil {
		return err
	}
	name, tag := i.named()
	document := &v2_3.Document{
		SPDXVersion:       v2_3.Version,
		DataLicense:       v2_3.DataLicense,
		SPDXIdentifier:    documentID,
		DocumentName:      name + "-" + tag + "-" + i.Architecture,
		DocumentNamespace: "https://postback.dev/spdx/" + name + "/" + strings.TrimPrefix(manifest, "sha256:"),
		CreationInfo: &v2_3.CreationInfo{
			Creators: []common.Creator{{CreatorType: "Tool", Creator: "hack/image-" + tag}},
			Created:  created,
		},
	}
	add := func(p *v2_3.Package, from common.ElementID, relationship string) {
		document.Packages = append(document.Packages, p)
		document.Relationships = append(document.Relationships, &v2_3.Relationship{
			RefA:         common.MakeDocElementID("", string(from)),
			RefB:         common.MakeDocElementID("", string(p.PackageSPDXIdentifier)),
			Relationship: relationship,
		})
	}
	add(i.imagePackage(manifest), documentID, common.TypeRelationshipDescribe)
	add(i.programPackage(info), imageID, common.TypeRelationshipContains)
	add(module(rootsID, rootsModule, roots), imageID, common.TypeRelationshipContains)
	add(module("Go", "stdlib", strings.TrimPrefix(info.GoVersion, "go")), programID, common.TypeRelationshipDependsOn)
	for n, dependency := range info.Deps {
		if dependency.Replace != nil {
			dependency = dependency.Replace
		}
		id := common.ElementID(fmt.Sprintf("Module-%d", n+1))
		add(module(id, dependency.Path, dependency.Version), programID, common.TypeRelationshipDependsOn)
	}
	return spdxjson.Write(document, w, spdxjson.Indent(" "))
}

// named returns the last part of the image's repository, and its tag.
func (i image) named() (name, tag string) {
	at := strings.LastIndex(i.Reference, ":")
	repository := i.Reference[:at]
	return repository[strings.LastIndex(repository, "/")+1:], i.Reference[at+1:]
}

func (i image) imagePackage(manifest string) *v2_3.Package {
	name, tag := i.named()
	query := url.Values{
		"arch":           {i.Architecture},
		"repository_url": {i.Reference[:strings.LastIndex(i.Reference, ":")]},
		"tag":            {tag},
	}
	purl := "pkg:oci/" + url.PathEscape(name) + "@" + url.QueryEscape(manifest) + "?" + query.Encode()
	p := describePackage(imageID, name, tag, purl)
	p.PrimaryPackagePurpose = "CONTAINER"
	p.PackageLicenseDeclared = license
	p.PackageChecksums = []common.Checksum{{Algorithm: common.SHA256, Value: strings.TrimPrefix(manifest, "sha256:")}}
	return p
}

func (i image) programPackage(info *debug.BuildInfo) *v2_3.Package {
	_, tag := i.named()
	within := strings.Trim(strings.TrimPrefix(info.Path, info.Main.Path), "/")
	p := module(programID, info.Main.Path, tag)
	p.PackageName = info.Path
	p.PackageExternalReferences[0].Locator += "#" + within
	p.PrimaryPackagePurpose = "APPLICATION"
	p.PackageFileName = "/" + i.Name
	p.PackageLicenseDeclared = license
	p.PackageChecksums = []common.Checksum{{
		Algorithm: common.SHA256,
		Value:     strings.TrimPrefix(digest(i.Program), "sha256:"),
	}}
	return p
}

// module describes a Go module, or the standard library, by its package URL, which is how scanners find it.
func module(id common.ElementID, path, version string) *v2_3.Package {
	p := describePackage(id, path, version, "pkg:golang/"+strings.ToLower(path)+"@"+url.QueryEscape(version))
	p.PrimaryPackagePurpose = "LIBRARY"
	return p
}

func describePackage(id common.ElementID, name, version, purl string) *v2_3.Package {
	return &v2_3.Package{
		PackageName:             name,
		PackageSPDXIdentifier:   id,
		PackageVersion:          version,
		PackageDownloadLocation: noAssertion,
		PackageLicenseConcluded: noAssertion,
		PackageLicenseDeclared:  noAssertion,
		PackageCopyrightText:    noAssertion,
		PackageExternalReferences: []*v2_3.PackageExternalReference{{
			Category: common.CategoryPackageManager,
			RefType:  common.TypePackageManagerPURL,
			Locator:  purl,
		}},
	}
}

// rootsVersion returns the version of the certificate authorities that this program has built in, and writes into
// images.
func rootsVersion() (string, error) {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "", errors.New("this program has no build information")
	}
	for _, dependency := range info.Deps {
		if dependency.Path == rootsModule {
			return dependency.Version, nil
		}
	}
	return "", fmt.Errorf("this program is not built with %s", rootsModule)
}
