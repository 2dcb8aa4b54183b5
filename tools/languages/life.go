// A life of each resource, the same as in life.ts. tools/languages.py reads what it prints.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"

	"example.com/pulumi-nugen/sdk/go/nugen"
	"github.com/pulumi/pulumi/sdk/v3/go/auto"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

var timeoutSeconds = 60.0

func program(ctx *pulumi.Context) error {
	provider := must(nugen.NewProvider(ctx, "account", &nugen.ProviderArgs{
		ApiKey:  pulumi.String("key-of-account"),
		BaseUrl: pulumi.String(os.Getenv("ACCOUNT_URL")),
	}))
	bot := must(nugen.NewUndeployedModel(ctx, "bot", &nugen.UndeployedModelArgs{
		ModelId:        pulumi.String("bot"),
		Undeploy:       pulumi.Bool(true),
		TimeoutSeconds: pulumi.Float64(timeoutSeconds),
	}, pulumi.Provider(provider)))
	fleet := must(nugen.NewUndeployedModels(ctx, "fleet", &nugen.UndeployedModelsArgs{
		ModelIds:  pulumi.ToStringArray([]string{"good", "bad"}),
		Undeploy:  pulumi.Bool(true),
		OnFailure: nugen.OnFailureRecord,
	}))
	service := must(nugen.NewDeployedModel(ctx, "service", &nugen.DeployedModelArgs{ModelId: pulumi.String("new")}))
	polled := nugen.GetUndeployStatusOutput(ctx, nugen.GetUndeployStatusOutputArgs{ModelId: bot.ModelId}, pulumi.Provider(provider))
	models := []string{}
	for _, model := range must(nugen.GetModels(ctx, &nugen.GetModelsArgs{})).Models {
		models = append(models, model.ModelId)
	}
	ctx.Export("status", bot.Status)
	ctx.Export("polled", polled.Status())
	ctx.Export("failed", fleet.Failed)
	ctx.Export("error", fleet.Models.MapIndex(pulumi.String("bad")).Error())
	ctx.Export("deployed", service.Deployed)
	ctx.Export("models", pulumi.ToStringArray(models))
	return nil
}

func main() {
	ctx := context.Background()
	stack := must(auto.UpsertStackInlineSource(ctx, "dev", "go", program))
	created := must(stack.Up(ctx))
	unchanged := must(stack.Up(ctx))
	refreshed := must(stack.Refresh(ctx))
	timeoutSeconds = 0
	_, refused := stack.Up(ctx)
	destroyed := must(stack.Destroy(ctx))
	outputs := map[string]any{}
	for name, output := range created.Outputs {
		outputs[name] = output.Value
	}
	fmt.Println(string(must(json.Marshal(map[string]any{
		"created":   created.Summary.ResourceChanges,
		"outputs":   outputs,
		"unchanged": unchanged.Summary.ResourceChanges,
		"refreshed": refreshed.Summary.ResourceChanges,
		"refused":   fmt.Sprint(refused),
		"destroyed": destroyed.Summary.ResourceChanges,
	}))))
}

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}
