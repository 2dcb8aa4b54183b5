//go:build tools

// Package tools names what is built with this module, here and in tools/languages, so that `go mod tidy` keeps its
// requirements.
package tools

import (
	_ "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"
	_ "github.com/pulumi/pulumi/pkg/v3/codegen/go"
	_ "github.com/pulumi/pulumi/pkg/v3/codegen/nodejs"
)
