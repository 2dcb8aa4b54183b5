// A life of each resource, the same as in life.go. tools/languages.py reads what it prints.
import * as nugen from "@pulumi/nugen";
import { LocalWorkspace } from "@pulumi/pulumi/automation";

let timeoutSeconds = 60;

async function program() {
    const provider = new nugen.Provider("account", { apiKey: "key-of-account", baseUrl: process.env.ACCOUNT_URL });
    const bot = new nugen.UndeployedModel("bot", { modelId: "bot", undeploy: true, timeoutSeconds }, { provider });
    const fleet = new nugen.UndeployedModels("fleet", {
        modelIds: ["good", "bad"],
        undeploy: true,
        onFailure: "record",
    });
    const service = new nugen.DeployedModel("service", { modelId: "new" });
    const account = await nugen.getModels();
    return {
        status: bot.status,
        polled: nugen.getUndeployStatusOutput({ modelId: bot.modelId }, { provider }).status,
        failed: fleet.failed,
        error: fleet.models["bad"].error,
        deployed: service.deployed,
        models: account.models.map((model) => model.modelId),
    };
}

async function live() {
    const stack = await LocalWorkspace.createOrSelectStack({ stackName: "dev", projectName: "typescript", program });
    const created = await stack.up();
    const unchanged = await stack.up();
    const refreshed = await stack.refresh();
    timeoutSeconds = 0;
    const refused = await stack.up().then(
        () => "",
        (error) => String(error),
    );
    const destroyed = await stack.destroy();
    return {
        created: created.summary.resourceChanges,
        outputs: Object.fromEntries(Object.entries(created.outputs).map(([name, output]) => [name, output.value])),
        unchanged: unchanged.summary.resourceChanges,
        refreshed: refreshed.summary.resourceChanges,
        refused,
        destroyed: destroyed.summary.resourceChanges,
    };
}

live().then((told) => console.log(JSON.stringify(told)));
