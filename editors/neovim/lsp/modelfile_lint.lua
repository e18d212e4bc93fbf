-- The language server of modelfile-lint, as Neovim 0.11 and newer describe one.
return {
  cmd = { "modelfile-lint", "lsp", "--stdio" },
  filetypes = { "modelfile" },
  root_markers = { ".modelfile-lint.yaml", ".modelfile-lint.yml", ".modelfile-lint.json", ".git" },
  -- Settings, which win over configurations:
  -- settings = { ["modelfile-lint"] = { machine = "auto", ollama = "0.32.15" } },
}
