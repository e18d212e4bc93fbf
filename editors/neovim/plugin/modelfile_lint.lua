-- Starts the language server for Modelfiles; lsp/modelfile_lint.lua describes it.
if vim.g.loaded_modelfile_lint then
  return
end
vim.g.loaded_modelfile_lint = true

if vim.lsp.enable then
  vim.lsp.enable("modelfile_lint")
  return
end

-- Neovim 0.7 to 0.10, which do not read the description by themselves.
local config = dofile(vim.api.nvim_get_runtime_file("lsp/modelfile_lint.lua", false)[1])

local function root_of(folder)
  for _, marker in ipairs(config.root_markers) do
    if vim.loop.fs_stat(folder .. "/" .. marker) then
      return folder
    end
  end
  local parent = vim.fn.fnamemodify(folder, ":h")
  return parent ~= folder and root_of(parent) or nil
end

-- The client of each root.
local clients = {}

local function attach(buffer)
  local name = vim.api.nvim_buf_get_name(buffer)
  if vim.bo[buffer].buftype ~= "" or name == "" then
    return
  end
  local folder = vim.fn.fnamemodify(name, ":p:h")
  local root = root_of(folder) or folder
  local id = clients[root]
  if not id or not vim.lsp.get_client_by_id(id) then
    id = vim.lsp.start_client({
      name = "modelfile_lint",
      cmd = config.cmd,
      root_dir = root,
      settings = config.settings,
      -- Neovim 0.7 cannot be asked for settings.
      init_options = config.settings,
    })
    clients[root] = id
  end
  if id then
    vim.lsp.buf_attach_client(buffer, id)
    vim.bo[buffer].omnifunc = "v:lua.vim.lsp.omnifunc"
  end
end

vim.api.nvim_create_autocmd("FileType", {
  pattern = config.filetypes,
  callback = function(event)
    attach(event.buf)
  end,
})
