internal import ClientTool

ClientTool.main()
