" The language server of modelfile-lint, for ALE.
call ale#Set('modelfile_lint_executable', 'modelfile-lint')
call ale#Set('modelfile_lint_settings', {})

" ALE starts no server without a folder.
function! ale_linters#modelfile#modelfile_lint#Root(buffer) abort
  for l:name in ['.modelfile-lint.yaml', '.modelfile-lint.yml', '.modelfile-lint.json']
    let l:found = ale#path#FindNearestFile(a:buffer, l:name)
    if !empty(l:found)
      return fnamemodify(l:found, ':h')
    endif
  endfor
  return expand('#' . a:buffer . ':p:h')
endfunction

call ale#linter#Define('modelfile', {
\ 'name': 'modelfile_lint',
\ 'lsp': 'stdio',
\ 'executable': {buffer -> ale#Var(buffer, 'modelfile_lint_executable')},
\ 'command': '%e lsp --stdio',
\ 'project_root': function('ale_linters#modelfile#modelfile_lint#Root'),
\ 'initialization_options': {buffer -> ale#Var(buffer, 'modelfile_lint_settings')},
\})
