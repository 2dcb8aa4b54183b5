// Writes the SDKs of TypeScript and Go: what `pulumi package add` does, without a language host.
//
// Arguments: the schema, a folder for the one of TypeScript, a folder for the one of Go.
package main

import (
	"encoding/json"
	"os"
	"path/filepath"

	golang "github.com/pulumi/pulumi/pkg/v3/codegen/go"
	"github.com/pulumi/pulumi/pkg/v3/codegen/nodejs"
	"github.com/pulumi/pulumi/pkg/v3/codegen/schema"
)

func main() {
	var spec schema.PackageSpec
	check(json.Unmarshal(must(os.ReadFile(os.Args[1])), &spec))
	importers := map[string]schema.Language{"go": golang.Importer, "nodejs": nodejs.Importer}
	pkg := must(schema.ImportSpec(spec, importers, schema.NewNullLoader(), schema.ValidationOptions{}))
	pkg.SupportPack = true // as for every SDK that a project generates for itself
	write(os.Args[2], must(nodejs.GeneratePackage("make languages", pkg, nil, nil, true, nil)))
	write(os.Args[3], must(golang.GeneratePackage("make languages", pkg, nil)))
}

func write(folder string, files map[string][]byte) {
	for name, content := range files {
		path := filepath.Join(folder, name)
		check(os.MkdirAll(filepath.Dir(path), 0o755))
		check(os.WriteFile(path, content, 0o644))
	}
}

func must[T any](value T, err error) T {
	check(err)
	return value
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}
