-- Run by nvim.client.ts in a headless Neovim that is set up as docs/editors.md says.
local cases = vim.fn.json_decode(vim.env.MODELFILE_LINT_CASES)
local seen = { cases = {} }

local function wait(what, condition)
  if not vim.wait(15000, condition, 20) then
    error("waited in vain for " .. what)
  end
end

local function open(name)
  vim.cmd("silent edit " .. vim.fn.fnameescape(name .. "/Modelfile"))
  return vim.api.nvim_get_current_buf()
end

local function shown(buffer, key)
  local list = vim.tbl_map(function(one) return one[key] end, vim.diagnostic.get(buffer))
  table.sort(list)
  return list
end

-- The text of the window that K opens.
local function hover()
  vim.lsp.buf.hover()
  local window
  wait("the hover", function()
    window = vim.tbl_filter(function(one)
      return vim.api.nvim_win_get_config(one).relative ~= ""
    end, vim.api.nvim_list_wins())[1]
    return window ~= nil
  end)
  local lines = vim.api.nvim_buf_get_lines(vim.api.nvim_win_get_buf(window), 0, -1, false)
  vim.api.nvim_win_close(window, true)
  return table.concat(lines, "\n")
end

-- Takes the first action at the finding of that rule.
local function mend(buffer, rule)
  for _, one in ipairs(vim.diagnostic.get(buffer)) do
    if one.code == rule then
      vim.api.nvim_win_set_cursor(0, { one.lnum + 1, one.col })
    end
  end
  vim.ui.select = function(items, _, choose)
    choose(items[1], 1)
  end
  local before = vim.api.nvim_buf_get_changedtick(buffer)
  vim.lsp.buf.code_action()
  wait("the fix of " .. rule, function()
    return vim.api.nvim_buf_get_changedtick(buffer) > before
  end)
  vim.cmd("silent write")
end

local function format()
  if vim.lsp.buf.format then
    vim.lsp.buf.format({ timeout_ms = 5000 })
  else
    vim.lsp.buf.formatting_sync(nil, 5000)
  end
  vim.cmd("silent write")
end

-- Types the text behind the last line and CTRL-X CTRL-O, and hands over what the menu offers.
local function complete(text, use)
  vim.fn.append("$", text)
  vim.fn.cursor(vim.fn.line("$"), 1)
  local keys = vim.api.nvim_replace_termcodes("A<C-x><C-o>", true, false, true)
  vim.api.nvim_feedkeys(keys, "t", false)
  local timer = vim.loop.new_timer()
  local waited = 0
  timer:start(50, 50, vim.schedule_wrap(function()
    waited = waited + 50
    if not timer:is_active() or vim.fn.pumvisible() == 0 and waited < 15000 then
      return
    end
    timer:stop()
    use(vim.tbl_map(function(item)
      return vim.trim(item.word)
    end, vim.fn.complete_info({ "items" }).items))
  end))
end

local function run()
  for name, case in pairs(cases) do
    local buffer = open(name)
    assert(vim.bo[buffer].filetype == "modelfile", "the file's type is " .. vim.bo[buffer].filetype)
    vim.wait(15000, function()
      return vim.deep_equal(shown(buffer, "code"), case.rules)
    end, 20)
    seen.cases[name] = { codes = shown(buffer, "code"), messages = shown(buffer, "message") }
    if case.mend then
      mend(buffer, case.mend)
    end
  end
  local buffer = open("many-cards")
  vim.fn.cursor(1, 8)
  seen.hover = hover()
  vim.fn.append("$", { "parameter temperature    0.5", "", "", "" })
  format()
end

local function finish(ok, problem)
  vim.fn.writefile({ vim.fn.json_encode(seen) }, vim.env.MODELFILE_LINT_SEEN)
  if ok then
    vim.cmd("qall!")
  else
    io.stderr:write(problem .. "\n")
    vim.cmd("cquit")
  end
end

local ok, problem = pcall(run)
if not ok then
  finish(false, problem)
end
complete("PARAMETER num_", function(words)
  seen.completion = words
  finish(true)
end)
