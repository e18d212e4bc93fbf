/** What VS Code is to show at the start, or the tests that it is to run inside itself. */
export interface Shown {
  /** Paths of the workspace's folder and of a file in it. */
  folder: string;
  file?: string;
  /** The path of the tests' module. */
  tests?: string;
}

/** The page that VS Code runs in, with our extensions. */
export function index(authority: string, { folder, file, tests }: Shown): string {
  const served = (path: string) => ({ scheme: "http", authority, path });
  const product = {
    productConfiguration: {
      nameShort: "VS Code",
      nameLong: "VS Code",
      applicationName: "code-web",
      dataFolderName: ".vscode-web",
      version: "1.91.1",
    },
    folderUri: { scheme: "memfs", path: folder },
    developmentOptions: {
      extensions: [served("/extension"), served("/tests")],
      ...(tests !== undefined && { extensionTestsPath: served(tests) }),
    },
    ...(file !== undefined && {
      defaultLayout: {
        force: true,
        views: [],
        editors: [{ uri: { scheme: "memfs", path: file } }],
      },
    }),
    configurationDefaults: {
      "editor.minimap.enabled": false,
      "window.commandCenter": false,
      "workbench.layoutControl.enabled": false,
      "workbench.startupEditor": "none",
      "workbench.tips.enabled": false,
    },
  };
  const libraries = `
    Object.keys(self.webPackagePaths).forEach((name) => {
      self.webPackagePaths[name] =
        location.origin + "/node_modules/" + name + "/" + self.webPackagePaths[name];
    });
    require.config({
      baseUrl: location.origin + "/out",
      recordStats: true,
      trustedTypesPolicy: trustedTypes.createPolicy("amdLoader", {
        createScriptURL: (url) => url,
      }),
      paths: self.webPackagePaths,
    });`;
  return `<!doctype html>
<html>
  <head>
    <meta charset="utf-8">
    <link rel="stylesheet" href="/out/vs/workbench/workbench.web.main.css">
  </head>
  <body aria-label=""></body>
  <script>window.product = ${JSON.stringify(product)};</script>
  <script src="/out/vs/loader.js"></script>
  <script src="/out/vs/webPackagePaths.js"></script>
  <script>${libraries}</script>
  <script src="/out/vs/workbench/workbench.web.main.nls.js"></script>
  <script src="/out/vs/workbench/workbench.web.main.js"></script>
  <script src="/out/vs/code/browser/workbench/workbench.js"></script>
</html>`;
}
